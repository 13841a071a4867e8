"""The benchmark runs, on very little work, and says what it found."""

from pathlib import Path

import pytest

from donorgrid.bench.compare import _differing as differing
from donorgrid.bench.run import BenchOptions, run_bench
from donorgrid.bench.texts import generated_texts, real_texts
from donorgrid.bench.timing import Clock
from donorgrid.core.errors import InputError


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_peer_and_own_answer_alike_and_the_page_says_so(tmp_path: Path) -> None:
    ways = ("peer", "donorgrid")
    options = BenchOptions(n_train=18, n_items=3, epochs=1, repeats=1, share=1.0, threads=2, jobs=2, ways=ways)
    page = run_bench(tmp_path, options, lambda _: None)
    assert page == (tmp_path / "bench.md").read_text()
    assert "another option chosen on 0 of 24 items" in page
    assert "2 thread(s); donorgrid in 2 process(es), its seconds for one cell" in page
    assert [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| donorgrid")] == ["| donorgrid"] * 3


@pytest.mark.parametrize(
    "changes", [{"ways": ("release",)}, {"ways": ("own", "donorgrid")}, {"share": 0.0}, {"jobs": 2}]
)
def test_impossible_options_are_one_line(tmp_path: Path, changes: dict) -> None:
    with pytest.raises(InputError, match=r"allowed are|must be above 0|at most the threads \(1\)"):
        run_bench(tmp_path, BenchOptions(**changes))


def test_data_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the folders sib200 and xcopa"):
        real_texts(tmp_path, n_train=3, n_items=3)


def test_generated_texts_are_the_same_each_time_and_of_the_size_asked_for() -> None:
    one, again = (generated_texts(n_train=5, n_items=4) for _ in range(2))
    assert one == again
    assert len(one.train) == 5
    assert [len(target) for target in one.targets.values()] == [4] * 8


def test_items_answered_otherwise_are_listed() -> None:
    mine, theirs = {"topic_it": [0, 3, 2], "copa_it": [1]}, {"topic_it": [0, 1, 2], "copa_it": [0]}
    assert differing(mine, theirs) == (["topic_it 1: 3, 1", "copa_it 0: 1, 0"], 4)


def test_clock_scales_a_share_to_the_whole_and_keeps_the_fastest() -> None:
    clock = Clock()
    for repeat in range(2):
        with clock.stage("own", "train", repeat=repeat, share=0.5):
            sum(range(20_000))
    assert clock.whole_s("own", "train", of_cpu=False) == min(one.wall_s for one in clock.stages) / 0.5
