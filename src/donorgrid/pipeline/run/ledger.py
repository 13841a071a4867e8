"""What is done, what is missing: the files of the study folder, read against the work keys."""

from dataclasses import dataclass

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline, Cell, Run, Subject
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.store.adapters import read_stamp
from donorgrid.store.answers import AnswersFooter, read_footer


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far one subject is.

    ``valid_keys`` are the scoring keys, by ``task/language``, of the rows on disk that belong to its present training
    (also of targets that the study no longer names); ``missing`` the study's targets that are not among them.
    """

    subject: Subject
    valid_keys: dict[str, str]
    missing: tuple[Cell, ...]
    adapter_missing: bool

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.missing and not self.adapter_missing


class Ledger:
    """Reads the standing of a study's subjects from its folder."""

    def __init__(self, plan: WorkPlan, folder: StudyFolder) -> None:
        self._plan = plan
        self._folder = folder

    def standing(self, subject: Subject, *, adapter_digest: str | None = None) -> Standing:
        """The standing of one subject, as its files say now.

        ``adapter_digest`` is that of the adapter in hand; without it, the one that the answers on disk were given by.
        """
        plan = self._plan
        footer = read_footer(self._folder.items(subject))
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
        return Standing(
            subject=subject,
            valid_keys=valid,
            missing=tuple(target for cell, target in targets.items() if cell not in valid),
            adapter_missing=isinstance(subject, Run) and plan.keeps(subject) and not self._has_adapter(subject),
        )

    def _has_adapter(self, run: Run) -> bool:
        stamp = read_stamp(self._folder.adapter(run), check_content=False)
        return stamp is not None and stamp.training_key == self._plan.training_key(run)


def subjects_of_shard(subjects: tuple[Subject, ...], shard: tuple[int, int]) -> tuple[Subject, ...]:
    """Every n-th piece of work from the i-th on, for ``shard = (i, n)`` with i from 1; every shard has the baselines.

    A run and its checkpoints, which come from one training, are one piece.
    """
    index, count = shard
    whole = {one: one.course if isinstance(one, Run) else one for one in subjects}
    pieces = list(dict.fromkeys(piece for piece in whole.values() if not isinstance(piece, Baseline)))
    chosen = set(pieces[index - 1 :: count])
    return tuple(one for one in subjects if isinstance(one, Baseline) or whole[one] in chosen)
