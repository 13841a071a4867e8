"""Answers, adapters and manifest say which ways computed them."""

import json
from pathlib import Path
from typing import Any

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.models.fast_cpu.bf16_products import bf16_kernel
from donorgrid.store.answers import read_footer
from donorgrid.store.logs import read_manifests
from running import run_here
from worlds import RECIPE, make_study

DENSE = "transformers' layers, dense masks, float32"


@pytest.mark.parametrize(
    ("precision", "method", "answers", "training"),
    [
        ("fp32", "lora", "fast decoder, float32", "fast decoder, float32"),
        ("bf16", "lora", "fast decoder, bf16 by {kernel}", "fast decoder, bf16 by {kernel}"),
        ("fp32", "dora", "fast decoder, float32", DENSE),
    ],
)
def test_the_ways_that_computed_stand_with_the_results(
    precision: str, method: str, answers: str, training: str, tmp_path: Path
) -> None:
    recipe: dict[str, Any] = {**RECIPE, "epochs": 1, "precision": precision, "method": method}
    study = {"sources": ["colours/de"], "targets": ["colours/en"], "scoring": {"precision": precision}}
    folder = StudyFolder(tmp_path / "out")
    run_here(make_study(tmp_path, recipes={"tiny": recipe}, **study), folder.root)
    wanted = {"answers": [answers], "training": [training]}
    wanted = {use: [way.format(kernel=bf16_kernel()) for way in ways] for use, ways in wanted.items()}
    (manifest,) = read_manifests(folder)
    assert list(manifest["computed_by"].values()) == [wanted]
    footers = [read_footer(path) for path in (folder.root / "items").rglob("*.parquet")]
    assert sorted(list(footer.trained_by) for footer in footers if footer) == [[], wanted["training"]]
    assert all(list(footer.computed_by) == wanted["answers"] for footer in footers if footer)
    (stamp,) = (folder.root / "adapters").rglob("donorgrid.json")
    assert json.loads(stamp.read_text())["computed_by"] == wanted["training"]
