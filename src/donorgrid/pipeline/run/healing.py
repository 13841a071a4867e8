"""Puts a study's folder in order before a run: what is damaged is named and removed, so that it is done again."""

from collections.abc import Callable

from donorgrid.core.atomic_files import remove_folder
from donorgrid.core.errors import StoreError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Run, Subject
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.ledger import Ledger
from donorgrid.store.adapters import read_stamp
from donorgrid.store.answers import read_answers
from donorgrid.store.claims import foreign_files
from donorgrid.store.logs import damaged_lines


def heal(plan: WorkPlan, folder: StudyFolder, on_note: Callable[[str], None]) -> None:
    """Remove the damaged answers and adapters of a study.

    Parameters
    ----------
    plan : WorkPlan
        The study.
    folder : StudyFolder
        Its folder.
    on_note : callable
        Receives a line for everything that is removed, or passed over.
    """
    ledger = Ledger(plan, folder)
    for line in passed_over(folder):
        on_note(line)
    for subject in plan.grid.subjects:
        problem = damage_of_answers(ledger, folder, subject)
        if problem is not None:
            on_note(f"{problem.partition(';')[0]}; they are given again")
            folder.items(subject).unlink(missing_ok=True)
        # The content of an adapter is read only where it will be used.
        problem = damage_of_adapter(folder, subject, check_content=not ledger.status(subject).done)
        if problem is not None and isinstance(subject, Run):
            on_note(f"{problem.partition(';')[0]}; it is trained again where it is needed")
            remove_folder(folder.adapter(subject))


def all_damage(plan: WorkPlan, folder: StudyFolder) -> list[str]:
    """Reads every file of a study whole and names each damaged one.

    Parameters
    ----------
    plan : WorkPlan
        The work keys of the study.
    folder : StudyFolder
        The folder of the study.

    Returns
    -------
    list of str
        One line for each damaged file.
    """
    ledger = Ledger(plan, folder)
    damage = [
        problem
        for subject in plan.grid.subjects
        for problem in (
            damage_of_answers(ledger, folder, subject),
            damage_of_adapter(folder, subject, check_content=True),
        )
    ]
    return list(dict.fromkeys(problem for problem in damage if problem is not None))


def passed_over(folder: StudyFolder) -> list[str]:
    """A line for every damaged log file, and for what lies among the claims and is none."""
    return damaged_lines(folder) + [f"{path}: no claim: passed over" for path in foreign_files(folder)]


def damage_of_answers(ledger: Ledger, folder: StudyFolder, subject: Subject) -> str | None:
    """What is wrong with a subject's answers, in one line.

    Parameters
    ----------
    ledger : Ledger
        The study's ledger.
    folder : StudyFolder
        Its folder.
    subject : Subject
        Who answered.

    Returns
    -------
    str or None
        None if the file is whole, or missing.
    """
    problem = ledger.status(subject).damage
    if problem is None and folder.items(subject).exists():
        try:
            read_answers(folder.items(subject))
        except StoreError as error:
            return str(error)
    return problem


def damage_of_adapter(folder: StudyFolder, subject: Subject, *, check_content: bool) -> str | None:
    """What is wrong with a subject's adapter, in one line.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    subject : Subject
        A baseline has no adapter.
    check_content : bool
        Whether its weights are read too.

    Returns
    -------
    str or None
        None if the folder is whole, or missing.
    """
    if not isinstance(subject, Run):
        return None
    try:
        read_stamp(folder.adapter(subject), check_content=check_content)
    except StoreError as error:
        return str(error)
    return None
