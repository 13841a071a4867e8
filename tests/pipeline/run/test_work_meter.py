"""How far a run is and how long the rest takes, from the work that was measured."""

import pytest

from donorgrid.core.records import Baseline, Cell, Recipe, Run, Source
from donorgrid.core.work_reports import part_of_work, report_share
from donorgrid.pipeline.run import work_meter
from donorgrid.pipeline.run.work_meter import WorkGauge, WorkMeter, empty_row
from donorgrid.pipeline.run.work_sizes import TRAIN_COST, WorkSize

BASE = Baseline(model="m")
RUNS = [
    Run(model="m", source=Source.of_cell(Cell(task="t", language=code)), recipe=Recipe(name="r"), train_seed=1)
    for code in ("de", "en")
]
SUBJECTS = [BASE, *RUNS]
SIZES = {
    BASE: WorkSize(train=0.0, score=100.0, n_steps=0, n_items=50),
    **{run: WorkSize(train=400.0, score=100.0, n_steps=20, n_items=50) for run in RUNS},
}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(work_meter, "time", clock)
    return clock


def test_nothing_is_promised_before_anything_was_measured() -> None:
    reading = WorkGauge([empty_row()], SIZES).read(SUBJECTS, SUBJECTS)
    assert (reading.share, reading.seconds_left, reading.in_hand) == (0.0, None, ())


def test_training_and_scoring_are_told_apart(clock: Clock) -> None:
    row = empty_row()
    meter, gauge = WorkMeter(row, SIZES), WorkGauge([row], SIZES)
    with meter.doing("scoring", [BASE]):
        clock.now = 10.0
    # A unit of scoring takes .1 s; training is taken for TRAIN_COST times that until it is measured.
    first = gauge.read(SUBJECTS, RUNS)
    assert first.seconds_left == pytest.approx(2 * 10.0 + 800 * 0.1 * TRAIN_COST)
    with meter.doing("training", [RUNS[0]]):
        clock.now = 12.0
        report_share(0.25)  # 100 of 400 units in 2 s
        reading = gauge.read(SUBJECTS, RUNS)
        assert reading.seconds_left == pytest.approx(6.0 + 10.0 + 8.0 + 10.0)
        assert reading.share == pytest.approx(1 - 34.0 / 46.0)
        assert gauge.in_words(reading.in_hand[0]) == "training t/de, step 5 of 20"
        clock.now = 18.0
    with meter.doing("scoring", [RUNS[0]]):
        clock.now = 23.0
        with part_of_work(0.5, 0.5):
            report_share(0.0)
            reading = gauge.read(SUBJECTS, RUNS)
        assert gauge.in_words(reading.in_hand[0]) == "scoring t/de, 50% of 50 items"
        assert reading.seconds_left == pytest.approx(5.0 + 8.0 + 10.0)
    assert gauge.read(SUBJECTS, []).share == 1.0


def test_processes_share_the_rest_but_nobody_shares_the_last_subject(clock: Clock) -> None:
    rows = [empty_row(), empty_row()]
    meters, gauge = [WorkMeter(row, SIZES) for row in rows], WorkGauge(rows, SIZES)
    with meters[0].doing("scoring", [BASE]):
        clock.now = 10.0
    with meters[1].doing("training", [RUNS[0]]):
        clock.now = 50.0
        report_share(0.5)  # .2 s a unit
        assert gauge.read(SUBJECTS, RUNS).seconds_left == pytest.approx((40.0 + 10.0 + 80.0 + 10.0) / 2)
        assert gauge.read(SUBJECTS, RUNS[:1]).seconds_left == pytest.approx(40.0 + 10.0)


def test_work_that_fails_is_no_longer_in_hand() -> None:
    row = empty_row()
    with pytest.raises(RuntimeError), WorkMeter(row, SIZES).doing("scoring", [BASE]):
        raise RuntimeError
    assert WorkGauge([row], SIZES).read(SUBJECTS, SUBJECTS).in_hand == ()
