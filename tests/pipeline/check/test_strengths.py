"""A check at several strengths: the answers of adapters that PEFT scaled, one load of the base, what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters import make_adapter
from donorgrid.check import AdapterVerdict
from donorgrid.core.errors import InputError
from donorgrid.models.weight_backup import between
from donorgrid.pipeline.check import answer_cache
from donorgrid.pipeline.check.request import Checked, CheckRequest, TargetSpec
from donorgrid.pipeline.check.run_check import run_check
from donorgrid.pipeline.session.model_session import ModelSession
from peft_kinds import rewrite
from worlds import make_checkpoint, make_task


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base, an adapter, the same scaled by hand, a whole checkpoint and a task."""
    root = tmp_path_factory.mktemp("strengths")
    make_checkpoint("llama", root / "base")
    make_adapter(root / "base", root / "wild", strength=1.0)
    rewrite(
        root / "wild",
        root / "half",
        lambda tensors: {key: value / 2 if "lora_B" in key else value for key, value in tensors.items()},
    )
    make_checkpoint("llama", root / "whole", seed=1)
    make_task(root, test=60)
    return root


def checked(world: Path, *adapters: str, **changes: object) -> Checked:
    values = {
        "base": "base",
        "adapters": adapters,
        "on": (TargetSpec.parse("colours.yaml"),),
        "guard": (TargetSpec.parse("colours.yaml:de,en"),),
        "device": "cpu",
        "cache": world / "cache",
        "folder": world,
        **changes,
    }
    return run_check(CheckRequest(**values))


def mean_gain(adapter: AdapterVerdict) -> float:
    return sum(target.delta_pp for target in adapter.on) / len(adapter.on)


def test_a_strength_answers_as_the_adapter_that_was_scaled_by_hand(world: Path) -> None:
    result = checked(world, "wild", "half", strengths=(0, 0.5)).result
    assert [adapter.name for adapter in result.adapters] == ["wild", "half"]
    wild, half = result.strengths
    assert [point.strength for point in wild.points] == [0, 0.5, 1]
    by_strength = {point.strength: point for point in wild.points}
    assert (by_strength[0].gain_pp, by_strength[0].gain_low_pp, by_strength[0].joint) == (0, 0, "safe")
    assert by_strength[0.5] == replace(half.points[-1], strength=0.5)
    assert by_strength[1].gain_pp == pytest.approx(mean_gain(result.adapters[0]))
    assert len({point.gain_pp for point in wild.points}) == 3
    assert wild.choice is None


def test_the_result_of_the_adapter_itself_is_as_without_strengths(world: Path) -> None:
    plain, found = checked(world, "wild").result, checked(world, "wild", find_strength=True).result
    assert found.adapters == plain.adapters
    assert found.recommendation is None
    assert [point.strength for point in found.strengths[0].points] == [0.25, 0.5, 0.75, 1]
    assert found.strengths[0].choice is not None


def test_strengths_load_the_base_once_and_answer_from_the_cache_next_time(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    active: list[float] = []
    original, original_active = answer_cache.open_session, ModelSession.active

    def counted(*arguments: object) -> object:
        opened.append(arguments)
        return original(*arguments)

    def noted(self: ModelSession, adapter: Path | None, *, strength: float = 1.0) -> object:
        active.append(strength)
        return original_active(self, adapter, strength=strength)

    monkeypatch.setattr(answer_cache, "open_session", counted)
    monkeypatch.setattr(ModelSession, "active", noted)
    first = checked(world, "wild", strengths=(0, 0.25, 0.5, 1), cache=tmp_path)
    assert (len(opened), active) == (1, [1.0, 1.0, 0.25, 0.5])  # the base, the adapter, and the strengths between
    assert checked(world, "wild", strengths=(0, 0.25, 0.5, 1), cache=tmp_path).result == first.result
    assert len(opened) == 1


def test_a_whole_checkpoint_lies_between_too(world: Path, tmp_path: Path) -> None:
    result = checked(world, "whole", strengths=(0.5,)).result
    mean = make_checkpoint("llama", tmp_path / "mean")
    base, whole = (load_file(world / name / "model.safetensors") for name in ("base", "whole"))
    weights = {name: between(base[name], whole[name], 0.5) for name in base}
    assert not all(torch.equal(weights[name], base[name]) for name in base)
    save_file(weights, mean / "model.safetensors", metadata={"format": "pt"})
    alone = checked(world, str(mean)).result.adapters[0]
    half, whole_point = result.strengths[0].points
    assert half.gain_pp == pytest.approx(mean_gain(alone))
    assert half.gain_pp != whole_point.gain_pp


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strengths": (2.0,)}, "strengths: 2: expected a number from 0 to 1.5"),
        ({"strengths": (float("nan"),)}, "strengths: nan: expected a number from 0 to 1.5"),
        ({"find_strength": True, "guard": ()}, "find_strength: there is nothing that a strength must keep safe"),
    ],
)
def test_strengths_out_of_range_are_one_line(world: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked(world, "wild", **changes)
