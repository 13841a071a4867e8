"""What the processes of a run have in hand and how fast they are, in memory that they share with their parent."""

import time
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from donorgrid.core.records import Baseline, Subject
from donorgrid.core.work_reports import reports_to
from donorgrid.pipeline.run.work_sizes import TRAIN_COST, WorkSize

Phase = Literal["training", "scoring"]
PHASES: tuple[Phase, ...] = ("training", "scoring")
N_VALUES = 7
"""Numbers per process: index of its subject (-1: none), phase, share done; then work done and its seconds by phase."""
_NOTHING = -1.0

Row = MutableSequence[float]


@dataclass(frozen=True, kw_only=True)
class InHand:
    """What one process works on: a subject, whether it is trained or scored, and the share (0-1) that is done."""

    subject: Subject
    phase: Phase
    share: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How far a run is.

    Attributes
    ----------
    share : float
        The share of all work that is done, 0-1.
    seconds_left : float or None
        The time that is left; None before anything was measured.
    in_hand : tuple of InHand
        What the processes work on.
    """

    share: float
    seconds_left: float | None
    in_hand: tuple[InHand, ...]


def empty_row() -> list[float]:
    """A row of a process that has nothing in hand and did nothing."""
    return [_NOTHING] + [0.0] * (N_VALUES - 1)


class WorkMeter:
    """Counts the work of one process, and writes it where its parent reads it.

    Parameters
    ----------
    row : list of float
        ``N_VALUES`` numbers, in memory that may be shared.
    sizes : mapping of Subject to WorkSize
        The work of every subject, in the order of the grid.
    on_change : callable
        Called whenever a report comes in.
    """

    def __init__(
        self, row: Row, sizes: Mapping[Subject, WorkSize], on_change: Callable[[], object] = lambda: None
    ) -> None:
        self._row = row
        self._sizes = sizes
        self._index = {subject: index for index, subject in enumerate(sizes)}
        self._on_change = on_change

    @contextmanager
    def doing(self, phase: Phase, subjects: Sequence[Subject]) -> Iterator[None]:
        """Measures the work of the body.

        Parameters
        ----------
        phase : {"training", "scoring"}
            What the body does.
        subjects : sequence of Subject
            With which subjects, together.

        Yields
        ------
        None
        """
        column = 3 + 2 * PHASES.index(phase)
        work = sum(_work(self._sizes[subject], phase) for subject in subjects)
        work_before, seconds_before = self._row[column], self._row[column + 1]
        start = time.monotonic()

        def count(share: float) -> None:
            self._row[2] = share
            self._row[column] = work_before + share * work
            self._row[column + 1] = seconds_before + time.monotonic() - start
            self._on_change()

        self._row[0], self._row[1], self._row[2] = self._index[subjects[0]], PHASES.index(phase), 0.0
        try:
            with reports_to(count):
                yield
            count(1.0)
        finally:
            self._row[0] = _NOTHING


class WorkGauge:
    """Reads from the rows of all processes how far a run is, and how long the rest will take.

    Parameters
    ----------
    rows : sequence of list of float
        One row per process.
    sizes : mapping of Subject to WorkSize
        The work of every subject, in the order of the grid.
    """

    def __init__(self, rows: Sequence[Row], sizes: Mapping[Subject, WorkSize]) -> None:
        self._rows = rows
        self._sizes = sizes
        self._subjects = list(sizes)

    def read(self, subjects: Sequence[Subject], open_subjects: Sequence[Subject]) -> Reading:
        """How far the run is.

        Parameters
        ----------
        subjects : sequence of Subject
            The subjects of the run.
        open_subjects : sequence of Subject
            Those that are neither done nor failed.

        Returns
        -------
        Reading
        """
        in_hand = tuple(entry for entry in map(self._in_hand, self._rows) if entry is not None)
        costs, measured = self._costs()
        working = {entry.subject: self._left(entry, costs) for entry in in_hand if entry.subject in open_subjects}
        waiting = sum(self._whole(subject, costs) for subject in open_subjects if subject not in working)
        whole, left = sum(self._whole(subject, costs) for subject in subjects), waiting + sum(working.values())
        longest = max(working.values(), default=0.0)
        return Reading(
            share=1.0 - left / whole if whole else 1.0,
            seconds_left=max(left / len(self._rows), longest) if measured else None,
            in_hand=in_hand,
        )

    def in_words(self, entry: InHand) -> str:
        """What a process works on, such as ``training sib200/de, step 34 of 108``."""
        size, subject = self._sizes[entry.subject], entry.subject
        name = f"base {subject.model}" if isinstance(subject, Baseline) else subject.source.name
        if entry.phase == "training":
            return f"training {name}, step {round(entry.share * size.n_steps):,} of {size.n_steps:,}"
        return f"scoring {name}, {100 * entry.share:.0f}% of {size.n_items:,} items"

    def _costs(self) -> tuple[dict[Phase, float], bool]:
        """Seconds of one process for a unit of work, by phase, and whether they were measured."""
        work = {phase: sum(row[3 + 2 * column] for row in self._rows) for column, phase in enumerate(PHASES)}
        seconds = {phase: sum(row[4 + 2 * column] for row in self._rows) for column, phase in enumerate(PHASES)}
        relative: dict[Phase, float] = {"training": TRAIN_COST, "scoring": 1.0}
        expected = sum(relative[phase] * work[phase] for phase in PHASES)
        if not expected:
            return relative, False
        usual = sum(seconds.values()) / expected
        return {
            phase: seconds[phase] / work[phase] if work[phase] else usual * relative[phase] for phase in PHASES
        }, True

    def _whole(self, subject: Subject, costs: Mapping[Phase, float]) -> float:
        return sum(costs[phase] * _work(self._sizes[subject], phase) for phase in PHASES)

    def _left(self, entry: InHand, costs: Mapping[Phase, float]) -> float:
        size = self._sizes[entry.subject]
        ahead = costs["scoring"] * size.score if entry.phase == "training" else 0.0
        return (1.0 - entry.share) * costs[entry.phase] * _work(size, entry.phase) + ahead

    def _in_hand(self, row: Row) -> InHand | None:
        index, phase, share = int(row[0]), int(row[1]), float(row[2])
        return None if index < 0 else InHand(subject=self._subjects[index], phase=PHASES[phase], share=share)


def _work(size: WorkSize, phase: Phase) -> float:
    return size.train if phase == "training" else size.score
