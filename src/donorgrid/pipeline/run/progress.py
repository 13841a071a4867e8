"""How far a study is, from its folder: what this and other processes and machines did."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Subject
from donorgrid.pipeline.prepare.study import study_folder
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run import healing
from donorgrid.pipeline.run.ledger import Ledger, subjects_of_shard
from donorgrid.pipeline.run.work_meter import WorkGauge
from donorgrid.store.logs import Failure, read_failures

_GLANCE_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, failed, total : int
        Subjects: baselines, few-shot prompts and adapters.
    share : float
        The share of all work that is done, 0-1; work in hand counts as far as it is.
    seconds_left : float or None
        The time that the rest will take; None before anything was measured.
    in_hand : tuple of str
        What each process of this machine works on.
    """

    done: int
    failed: int
    total: int
    share: float = 0.0
    seconds_left: float | None = None
    in_hand: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """Subjects that are neither done nor failed."""
        return self.total - self.done - self.failed


class Watch:
    """Reads progress from the study's folder. A subject that is done is not looked up again.

    Parameters
    ----------
    plan : WorkPlan
        The study and its work keys.
    folder : StudyFolder
        Its folder.
    shard : (int, int), optional
        Count only the subjects of one shard.
    on_change : callable
        Receives the progress whenever it changed since the last reading.
    """

    def __init__(
        self,
        plan: WorkPlan,
        folder: StudyFolder,
        *,
        shard: tuple[int, int] | None = None,
        on_change: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._ledger = Ledger(plan, folder)
        self._on_change = on_change
        self._last: Progress | None = None
        subjects = plan.grid.subjects
        self._subjects: list[Subject] = list(subjects if shard is None else subjects_of_shard(subjects, shard))
        self._open = self._subjects
        self._gauge: WorkGauge | None = None
        self._glanced_s = 0.0
        self._recorded: dict[str, Failure] = {}

    def follow(self, gauge: WorkGauge) -> None:
        """From now on, progress also has what the processes of this machine work on."""
        self._gauge = gauge

    def progress(self) -> Progress:
        """The progress now, also of what other processes did."""
        self._open = [subject for subject in self._open if not self._ledger.status(subject).done]
        progress = self._with_gauge(
            Progress(
                done=len(self._subjects) - len(self._open), failed=len(self._failures()), total=len(self._subjects)
            )
        )
        if progress != self._last:
            self._last = progress
            self._on_change(progress)
        return progress

    def glance(self) -> None:
        """Tell how far the work in hand is, without a look into the folder; at most once a second."""
        if self._last is not None and time.monotonic() - self._glanced_s >= _GLANCE_S:
            self._glanced_s = time.monotonic()
            self._last = self._with_gauge(self._last)
            self._on_change(self._last)

    def _with_gauge(self, progress: Progress) -> Progress:
        if self._gauge is None:
            return replace(progress, share=(progress.done + progress.failed) / max(progress.total, 1))
        recorded = self._recorded
        left = [subject for subject in self._open if not recorded or self._plan.failure_key(subject) not in recorded]
        reading = self._gauge.read(self._subjects, left)
        return replace(
            progress,
            share=reading.share,
            seconds_left=reading.seconds_left,
            in_hand=tuple(self._gauge.in_words(entry) for entry in reading.in_hand),
        )

    def open_keys(self) -> set[str]:
        """The claim keys of what was not done at the last reading."""
        return {self._plan.claim_key(subject) for subject in self._open}

    def failures(self) -> list[Failure]:
        """The failures of subjects that are still open, in the order of the grid."""
        self.progress()
        return self._failures()

    def _failures(self) -> list[Failure]:
        self._recorded = read_failures(self._folder)
        if not self._recorded:
            return []
        keys = (self._plan.failure_key(subject) for subject in self._open)
        return [self._recorded[key] for key in keys if key in self._recorded]


@dataclass(frozen=True, kw_only=True)
class StudyProblems:
    """What is wrong in a study's folder.

    Attributes
    ----------
    damaged : tuple of str
        A line for every result that is damaged, or that belongs to another subject.
    passed_over : tuple of str
        A line for every damaged log file, and for what lies among the claims and is none.
    """

    damaged: tuple[str, ...]
    passed_over: tuple[str, ...]


def study_status(study: str | Path, out: str | Path | None = None) -> tuple[Progress, list[Failure]]:
    """How far a study is, and what failed in it.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The study's folder, where it is not the default.

    Returns
    -------
    (Progress, list of Failure)
        The failures are in the order of the grid.

    Raises
    ------
    InputError
        If nothing was run there.
    """
    folder = study_folder(study, out)
    watch = Watch(read_workplan(folder), folder)
    return watch.progress(), watch.failures()


def study_problems(study: str | Path, out: str | Path | None = None, *, verify: bool = False) -> StudyProblems:
    """What is wrong in a study's folder.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The study's folder, where it is not the default.
    verify : bool
        Read every answer and adapter whole; otherwise only what says whose the answers are.

    Returns
    -------
    StudyProblems
    """
    folder = study_folder(study, out)
    plan = read_workplan(folder)
    if verify:
        damaged = healing.all_damage(plan, folder)
    else:
        statuses = (Ledger(plan, folder).status(subject) for subject in plan.grid.subjects)
        damaged = [status.damage for status in statuses if status.damage is not None]
    return StudyProblems(damaged=tuple(damaged), passed_over=tuple(healing.passed_over(folder)))
