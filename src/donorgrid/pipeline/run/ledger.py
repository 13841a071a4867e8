"""What is done and what is missing: the files of the study folder, compared with the work keys."""

from dataclasses import dataclass

from donorgrid.core.errors import StoreError
from donorgrid.core.names import StudyFolder, subject_name
from donorgrid.core.records import Baseline, Cell, Run, Subject
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.store.adapters import read_stamp
from donorgrid.store.answers import AnswersFooter, read_footer


@dataclass(frozen=True, kw_only=True)
class SubjectStatus:
    """How far one subject is.

    Attributes
    ----------
    subject : Subject
        A baseline, a run or a few-shot subject.
    valid_keys : dict of str to str
        By ``task/language``: the scoring keys of the rows on disk that belong to its present training, also of targets
        that the study no longer names.
    missing : tuple of Cell
        The study's targets without valid rows.
    adapter_missing : bool
        Whether the study keeps its adapter and the folder holds none.
    damage : str or None
        One line where its files are damaged, or hold the answers of another subject: they count as missing.
    without_checksum : bool
        Whether its answers were written by a version of donorgrid that wrote no checksums.
    """

    subject: Subject
    valid_keys: dict[str, str]
    missing: tuple[Cell, ...]
    adapter_missing: bool
    damage: str | None = None
    without_checksum: bool = False

    @property
    def done(self) -> bool:
        """True if nothing is left to do."""
        return not self.missing and not self.adapter_missing


class Ledger:
    """Reads the status of a study's subjects from its folder."""

    def __init__(self, plan: WorkPlan, folder: StudyFolder) -> None:
        self._plan = plan
        self._folder = folder
        self._run_of_key = {key: name for name, key in plan.training_keys.items()}

    def status(self, subject: Subject, *, adapter_digest: str | None = None) -> SubjectStatus:
        """The status of one subject, from its files as they are now.

        Parameters
        ----------
        subject : Subject
            A baseline, a run or a few-shot subject.
        adapter_digest : str, optional
            The digest of its adapter; the default is the one that the answers on disk state.

        Returns
        -------
        SubjectStatus
        """
        plan = self._plan
        footer, damage = self._footer(subject)
        without_checksum = footer is not None and footer.subject is None
        of_this_work = footer is not None and (footer.training_key, footer.examples_key) == (
            plan.training_key(subject),
            plan.examples_key(subject),
        )
        if footer is None or not of_this_work or adapter_digest not in (None, footer.adapter_digest):
            footer = AnswersFooter(training_key=None, adapter_digest=adapter_digest, scoring_keys={})
        targets = {str(target): target for target in plan.grid.targets}
        valid = {
            cell: key
            for cell, key in footer.scoring_keys.items()
            if cell not in targets or plan.scoring_key(subject, targets[cell], footer.adapter_digest) == key
        }
        return SubjectStatus(
            subject=subject,
            valid_keys=valid,
            missing=tuple(target for cell, target in targets.items() if cell not in valid),
            adapter_missing=isinstance(subject, Run) and plan.keeps(subject) and not self._has_adapter(subject),
            damage=damage,
            without_checksum=without_checksum,
        )

    def _footer(self, subject: Subject) -> tuple[AnswersFooter | None, str | None]:
        """The footer of a subject's answers, and what is wrong with the file, if anything."""
        path = self._folder.items(subject)
        try:
            footer = read_footer(path)
        except StoreError as error:
            return None, str(error)
        owner = None if footer is None else self._owner(footer)
        if owner not in (None, subject_name(subject)):
            return None, f"{path}: it holds the answers of {owner}; 'donorgrid run' gives those of this subject again"
        return footer, None

    def _owner(self, footer: AnswersFooter) -> str | None:
        """Who gave the answers of a file; None where a file of the first version does not show it."""
        return footer.subject or self._run_of_key.get(footer.training_key or "")

    def _has_adapter(self, run: Run) -> bool:
        try:
            stamp = read_stamp(self._folder.adapter(run), check_content=False)
        except StoreError:
            return False
        return stamp is not None and stamp.training_key == self._plan.training_key(run)


def subjects_of_shard(subjects: tuple[Subject, ...], shard: tuple[int, int]) -> tuple[Subject, ...]:
    """The subjects that one shard works on. What comes from one training (checkpoints, strengths) stays together.

    Parameters
    ----------
    subjects : tuple of Subject
        All subjects of a study.
    shard : (int, int)
        (i, n): every n-th training or few-shot subject from the i-th on, with i from 1.

    Returns
    -------
    tuple of Subject
        In their order; every shard has all baselines.
    """
    index, n_shards = shard
    training_of = {subject: subject.course if isinstance(subject, Run) else subject for subject in subjects}
    trainings = list(dict.fromkeys(piece for piece in training_of.values() if not isinstance(piece, Baseline)))
    chosen = set(trainings[index - 1 :: n_shards])
    return tuple(subject for subject in subjects if isinstance(subject, Baseline) or training_of[subject] in chosen)
