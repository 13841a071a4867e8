"""A study's folder that an earlier version of donorgrid wrote: what this version would do again, and why."""

from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.names import StudyFolder, subject_name
from donorgrid.core.records import Subject
from donorgrid.pipeline.prepare.study_files import read_folder_version
from donorgrid.pipeline.prepare.work_keys import FORMAT, SEMANTICS, WorkPlan
from donorgrid.pipeline.run.ledger import Ledger
from donorgrid.store.answers import read_footer

_SHOWN = 3


def check_earlier_version(plan: WorkPlan, folder: StudyFolder, *, redo: bool) -> None:
    """Checks that a run does nothing again only because another version of donorgrid did it before.

    Parameters
    ----------
    plan : WorkPlan
        The study as this version plans it.
    folder : StudyFolder
        Its folder, before this version writes to it.
    redo : bool
        Whether the user wants the work to be done again.

    Raises
    ------
    InputError
        One line: what would be done again, and why.
    """
    version = read_folder_version(folder)
    if redo or version is None or version == (FORMAT, SEMANTICS):
        return
    again = [subject_name(subject) for subject in plan.grid.subjects if _is_lost(plan, folder, subject)]
    if again:
        names = ", ".join(again[:_SHOWN]) + (", ..." if len(again) > _SHOWN else "")
        raise InputError(
            f"{folder.root}: another version of donorgrid wrote it (format {version[0]}, semantics {version[1]}; this "
            f"one has {FORMAT}, {SEMANTICS}). {len(again)} of {len(plan.grid.subjects)} results do not count here and "
            f"would be given again: {names}; --redo does so, 'analyse' still shows what is there"
        )


def _is_lost(plan: WorkPlan, folder: StudyFolder, subject: Subject) -> bool:
    """True if a subject has answers that do not count any more."""
    try:
        footer = read_footer(folder.items(subject))
    except StoreError:
        return False
    return footer is not None and not set(footer.scoring_keys) <= set(Ledger(plan, folder).status(subject).valid_keys)
