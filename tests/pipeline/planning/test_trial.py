"""The trial of a machine: what is tried, and how two measurements give a speed and the time of a start."""

from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Recipe
from donorgrid.pipeline.planning import trial
from donorgrid.pipeline.planning.study_cost import estimate
from donorgrid.plan.cost import Amount, Part
from donorgrid.score.exact_and_fast import SAMPLE_ITEMS
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from worlds import make_study, make_task


class Machine:
    """Work that takes a start and a time per token, by a clock of its own."""

    def __init__(self, *, start_s: float, per_token_s: float, tokens_per_item: int = 50) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._start_s, self._per_token_s, self._tokens_per_item = start_s, per_token_s, tokens_per_item

    def perf_counter(self) -> float:
        return self.now

    def work(self, size: int) -> int:
        self.sizes.append(size)
        self.now += self._start_s + size * self._tokens_per_item * self._per_token_s
        return size * self._tokens_per_item


@pytest.mark.parametrize(
    ("start_s", "per_token_s", "sizes"),
    [(1.2, 0.006, [1, 8]), (1.2, 0.0009, [1, 8, 32]), (0.0, 1e-6, [1, 8, 64])],
    ids=["slow", "middle", "fast"],
)
def test_a_start_and_the_time_per_token_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, start_s: float, per_token_s: float, sizes: list[int]
) -> None:
    machine = Machine(start_s=start_s, per_token_s=per_token_s)
    monkeypatch.setattr(trial, "time", machine)
    monkeypatch.setattr(trial, "_SHORTEST_S", 0.0)
    speed = trial._speed(machine.work, 8)
    assert speed.tokens_per_s == pytest.approx(1 / per_token_s)
    assert speed.start_s == pytest.approx(start_s, abs=1e-9)
    assert machine.sizes == sizes


def test_the_largest_parts_of_each_kind_are_tried() -> None:
    recipe = Recipe(name="r")
    n_tokens = {"a": 5, "b": 9, "c": 7, "d": 1}
    scoring = {Part(kind="scoring", task=name): Amount(n_tokens=count) for name, count in n_tokens.items()}
    training = {Part(kind="training", task="d", recipe=recipe): Amount(n_tokens=2)}
    tried = [(part.kind, part.task) for part in trial._tried({**scoring, **training})]
    assert tried == [("scoring", "b"), ("scoring", "c"), ("scoring", "a"), ("training", "d")]


def test_every_kind_of_work_of_a_study_is_measured(tmp_path: Path) -> None:
    sources = ["colours/de", {"control": "few-shot", "of": "colours/de", "shots": 2}]
    file = make_study(tmp_path, sources=sources)
    cost = estimate(file, StudyFolder(tmp_path / "out"), device="cpu", jobs=2)
    (model,) = cost.models
    assert model.seconds is not None
    assert model.seconds > 0
    assert 0 < model.ready_seconds < model.trial_seconds
    assert cost.seconds == pytest.approx(model.seconds / 2 + model.ready_seconds)
    assert estimate(file, StudyFolder(tmp_path / "out"), device=None, jobs=2).seconds is None


def test_exact_and_fast_scoring_is_tried_as_it_will_compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[tuple[int, bool]] = []

    def score(scorer: Scorer, packed: PackedItems, *, rounds_products: bool = False) -> list[list[float]]:
        scored.append((len(packed.items), rounds_products))
        return computed(scorer, packed, rounds_products=rounds_products)

    computed = Scorer.score
    monkeypatch.setattr(Scorer, "score", score)
    file = make_study(tmp_path, sources=["colours/de"], scoring={"exact_and_fast": True})
    make_task(tmp_path, test=80)
    estimate(file, StudyFolder(tmp_path / "out"), device="cpu", jobs=1)
    in_bf16 = [n_items for n_items, in_products in scored if in_products]
    assert len(set(in_bf16)) >= 2, "a small and a larger measurement"
    assert min(in_bf16) > SAMPLE_ITEMS, "with a sample in float32 in both"
    assert (SAMPLE_ITEMS, False) in scored
