"""What a run says of its progress, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from donorgrid.cli import progress as display
from donorgrid.cli.progress import ProgressDisplay
from donorgrid.pipeline.run.progress import Progress


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the display sees."""
    now = [0.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    return now


def test_work_in_hand_is_told_now_and_then_and_finished_work_sooner(seconds: list[float]) -> None:
    out = io.StringIO()
    with ProgressDisplay(Console(file=out, width=200)) as shown:
        shown(Progress(done=0, failed=0, total=3))
        for second in range(1, 62):
            seconds[0] = float(second)
            in_hand = (f"training t/de, step {second} of 100",)
            shown(Progress(done=0, failed=0, total=3, share=second / 200, seconds_left=100.0 - second, in_hand=in_hand))
        seconds[0] = 72.0
        shown(Progress(done=1, failed=1, total=3, share=0.5, seconds_left=4000.0, in_hand=("a", "b", "c")))
        shown(Progress(done=2, failed=1, total=3, share=1.0))
    assert out.getvalue().splitlines() == [
        "0 of 3 baselines and adapters done, 0% of the work",
        "0 of 3 baselines and adapters done, 15% of the work, about 1:10 left; training t/de, step 30 of 100",
        "0 of 3 baselines and adapters done, 30% of the work, about 0:40 left; training t/de, step 60 of 100",
        "1 of 3 baselines and adapters done, 1 failed, 50% of the work, about 1 h 6 min left; a; b; …",
        "2 of 3 baselines and adapters done, 1 failed",
    ]


def test_a_bar_moves_within_a_subject(seconds: list[float]) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=True)
    with ProgressDisplay(console) as shown:
        shown(Progress(done=0, failed=0, total=3, share=0.37, in_hand=("training t/de, step 37 of 100",)))
    assert "37%" in out.getvalue()
    assert "step 37 of 100" in out.getvalue()
