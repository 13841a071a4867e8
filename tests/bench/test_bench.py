"""The benchmark runs on a very small workload and writes its page."""

from pathlib import Path

import pytest

from donorgrid.bench.compare import differing_items
from donorgrid.bench.run import BenchOptions, run_bench
from donorgrid.bench.texts import generated_texts, real_texts
from donorgrid.bench.timing import Clock, Stage
from donorgrid.core.errors import InputError


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_peer_gives_the_same_answers_and_the_page_says_so(tmp_path: Path) -> None:
    ways = ("peer", "donorgrid")
    options = BenchOptions(n_train=18, n_items=3, epochs=1, repeats=1, share=1.0, threads=2, jobs=2, ways=ways)
    page = run_bench(tmp_path, options, lambda _: None)
    assert page == (tmp_path / "bench.md").read_text()
    assert "another option chosen on 0 of 24 items" in page
    assert "2 thread(s); donorgrid in 2 process(es), its seconds for one cell" in page
    assert [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| donorgrid")] == ["| donorgrid"] * 3


@pytest.mark.parametrize(
    "changes", [{"ways": ("release",)}, {"ways": ("unknown", "donorgrid")}, {"share": 0.0}, {"jobs": 2}]
)
def test_impossible_options_are_one_line(tmp_path: Path, changes: dict) -> None:
    with pytest.raises(InputError, match=r"allowed are|must be above 0|at most the threads \(1\)"):
        run_bench(tmp_path, BenchOptions(**changes))


def test_missing_data_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the folders sib200 and xcopa"):
        real_texts(tmp_path, n_train=3, n_items=3)


def test_generated_texts_are_the_same_each_time_and_have_the_wanted_size() -> None:
    first, second = (generated_texts(n_train=5, n_items=4) for _ in range(2))
    assert first == second
    assert len(first.train) == 5
    assert [len(target) for target in first.targets.values()] == [4] * 8


def test_items_with_another_answer_are_listed() -> None:
    ours, theirs = {"topic_it": [0, 3, 2], "copa_it": [1]}, {"topic_it": [0, 1, 2], "copa_it": [0]}
    assert differing_items(ours, theirs) == (["topic_it 1: 3, 1", "copa_it 0: 1, 0"], 4)


def test_the_clock_scales_a_share_to_the_whole_and_keeps_the_fastest_repeat() -> None:
    clock = Clock()
    for repeat in range(2):
        with clock.stage("peer", "train", repeat=repeat, share=0.5):
            sum(range(20_000))
    assert clock.whole_s("peer", "train", of_cpu=False) == min(stage.wall_s for stage in clock.stages) / 0.5


def test_a_start_up_time_is_subtracted_from_the_last_stage() -> None:
    clock = Clock()
    clock.add(Stage(way="release", stage="start lm-eval", repeat=0, wall_s=2.0, cpu_s=1.5))
    clock.add(Stage(way="release", stage="score", repeat=0, wall_s=5.0, cpu_s=4.0, share=0.5))
    clock.subtract_from_last(clock.stages[-2])
    assert [(stage.stage, stage.wall_s, stage.cpu_s) for stage in clock.stages] == [
        ("start lm-eval", 2.0, 1.5),
        ("score", 3.0, 2.5),
    ]
    assert clock.whole_s("release", "score", of_cpu=False) == 6.0
