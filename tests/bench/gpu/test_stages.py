"""The stages run on tiny shapes on a CPU and give the numbers that the page needs."""

from pathlib import Path
from typing import Any

import pytest
from gpu_kit.estimate import grid_minutes, page
from gpu_kit.runner import Settings
from gpu_kit.stages import STAGES

pytestmark = [
    pytest.mark.usefixtures("small_and_on_a_cpu"),
    pytest.mark.filterwarnings("default"),
]


def results_of(tmp_path: Path, *names: str) -> dict[str, Any]:
    """What the stages report, run here: a fork of a test's process would inherit the locks of its threads."""
    stages = [stage for stage in STAGES if stage.name in names]
    assert len(stages) == len(names)
    (tmp_path / "work").mkdir()
    results: dict[str, Any] = {}
    for stage in stages:
        result: dict[str, Any] = {"stage": stage.name, "status": "done", "seconds": 0.0}
        settings = Settings(device="cpu", tiny=True, work=tmp_path / "work", results=dict(results))
        stage.run(settings, lambda result=result, **values: result.update(values))
        results[stage.name] = result
    return results


def test_scores_are_those_of_the_plain_way_and_of_lm_eval(tmp_path: Path) -> None:
    names = ("parity gemma-3-1b", "near-ties qwen2.5-0.5b", "merging llama-3.2-1b")
    parity, near_ties, merging = results_of(tmp_path, *names).values()
    assert parity["ok"]
    assert near_ties["ok"]
    assert merging["ok"]
    for way in ("dense masks", "block masks", "lm-eval"):
        assert parity[f"{way}: largest gap to plain, nats"] < 1e-4
        assert parity[f"{way}: other options"] == 0
    assert 0 < near_ties["block masks"]["mean error of a difference, nats"] < near_ties["plain"]["median margin, nats"]
    assert merging["fp32"]["base is back bit for bit"]
    assert merging["bf16"]["base is back bit for bit"]


def test_adapters_are_those_of_hf_trainer(tmp_path: Path) -> None:
    (found,) = results_of(tmp_path, "HF Trainer qwen2.5-0.5b").values()
    gaps = [found[f"{how}: gap to HF's Trainer"] for how in ("alone", "two at once", "block masks")]
    assert found["ok"]
    assert 0 < max(gaps) < 1e-4


def test_speed_of_both_halves_makes_an_estimate(tmp_path: Path) -> None:
    results = results_of(tmp_path, "scoring speed llama-3.2-1b", "training speed llama-3.2-1b")
    scoring, training = results.values()
    assert scoring["block masks"]["needed tokens"] == scoring["dense masks"]["needed tokens"] > 0
    for way in ("dense masks", "block masks"):
        assert set(training[f"{way}, by adapters at once"]) == {"1", "2"}
    measured = training[f"{training['best_way']}, by adapters at once"][str(training["best_group"])]
    assert measured["seconds per adapter and epoch"] == training["seconds_per_adapter_and_epoch"] > 0
    minutes = grid_minutes("llama-3.2-1b", results)
    assert minutes is not None
    assert minutes["total_minutes"] > 0
    assert "| llama-3.2-1b | cpu |" in page(results)
