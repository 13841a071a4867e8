"""XCOPA and SIB-200 in four languages, from local task files: eight by eight cells on two models, end to end."""

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.tasks import find_task, load_cell, shared_items
from running import QUICK, run_here
from worlds import RECIPE

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
LANGUAGES = ("id", "it", "tr", "zh")


@pytest.mark.slow
def test_two_real_benchmarks_run_end_to_end(real_data: Path, world: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(real_data)
    for name in ("xcopa", "sib200"):
        shutil.copy(EXAMPLES / f"{name}.yaml", tmp_path)
    study = {
        "models": ["pocket", str(world / "qwen2")],
        "tasks": ["xcopa.yaml", "sib200.yaml"],
        "languages": list(LANGUAGES),
        "recipes": {"tiny": {**RECIPE, "epochs": 1, "target_modules": ["q_proj", "v_proj"]}},
        "train_seeds": [17],
        "limits": {"train_items": 10, "test_items": 6},
        "keep_adapters": "none",
    }
    (tmp_path / "real.yaml").write_text(yaml.safe_dump(study))
    run_here(tmp_path / "real.yaml", tmp_path / "out")
    tables = analyse_folder(StudyFolder(tmp_path / "out"), QUICK).tables
    deltas = tables["deltas"]
    assert deltas.height == 2 * 8 * 8
    assert deltas["n_items"].unique().to_list() == [6]
    assert dict(deltas.group_by("regime").len().iter_rows()) == {
        "MT-ML": 2 * 8,
        "MT-CL": 2 * 8 * 3,
        "CT-ML": 2 * 8,
        "CT-CL": 2 * 8 * 3,
    }
    xcopa = deltas.filter(pl.col("target_task") == "xcopa")
    assert xcopa.filter(pl.col("n_right") != pl.col("n_right_norm")).is_empty()  # XCOPA has no acc_norm


def test_a_training_sentence_of_sib200_stands_within_a_test_item(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(real_data)
    content = yaml.safe_load((EXAMPLES / "sib200.yaml").read_text())
    content |= {"languages": ["en", "id"], "language_names": {"en": "eng_Latn", "id": "ind_Latn"}}
    (tmp_path / "sib200.yaml").write_text(yaml.safe_dump(content))
    task = find_task("sib200.yaml", folder=tmp_path)
    cells = {cell.cell: cell for cell in (load_cell(task, language, sources={}) for language in task.languages)}
    shared = shared_items(cells, sources=list(cells), targets=list(cells))
    assert [(pair.n_shared, pair.n_items, pair.example) for pair in shared] == [(1, 204, "184")] * 4
    assert [(str(pair.source), str(pair.target), pair.parallel) for pair in shared] == [
        ("sib200/en", "sib200/en", False),
        ("sib200/en", "sib200/id", True),
        ("sib200/id", "sib200/en", True),
        ("sib200/id", "sib200/id", False),
    ]
