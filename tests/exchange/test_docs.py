"""The mapping examples of docs/import.md are read and used as they stand there."""

import re
from pathlib import Path

import polars as pl
import pytest

from donorgrid.analyse.reading.released_names import from_released
from donorgrid.exchange import import_table
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.mapping_files import read_mapping

DOCS = Path(__file__).parents[2] / "docs" / "import.md"


@pytest.fixture
def examples(tmp_path: Path) -> dict[str, Path]:
    """The YAML blocks of the page, as files, by their first key."""
    files = {}
    for block in re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL):
        name = block.partition(":")[0]
        files[name] = tmp_path / f"{name}.yaml"
        files[name].write_text(block, encoding="utf-8")
    return files


def test_the_lm_eval_mapping_reads(examples):
    mapping = read_mapping(examples["tasks"], LmEvalMapping)
    assert sum(run.baseline for run in mapping.runs.values()) == 1
    assert len(mapping.runs) > 3


def test_the_table_mapping_fits_its_table(examples, tmp_path):
    rows = [
        {"base": "m", "trained": trained, "on": on, "task": "quiz", "lang": lang, "seed": seed, "points": points}
        for trained, on, seed, by_language in (
            (None, None, None, {"Italian": 50.0, "de": 60.0}),
            ("quiz", "de", 1, {"Italian": 48.5, "de": 70.0}),
        )
        for lang, points in by_language.items()
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    imported = import_table([str(tmp_path / "t.csv")], to_our_names=from_released, mapping_file=examples["columns"])
    rows = {row["target_language"]: row for row in imported.frame.to_dicts()}
    assert {language: (row["score"], row["score_base"]) for language, row in rows.items()} == {
        "it": (0.485, 0.5),
        "de": (0.7, 0.6),
    }
    assert {row["recipe"] for row in rows.values()} == {"lora"}


def test_words_that_older_yaml_takes_for_truth_values_are_text(tmp_path):
    (tmp_path / "m.yaml").write_text(
        "tasks: {'quiz_{language}': quiz}\nlanguages: {nob: no}\n"
        "runs: {on: {model: yes, baseline: yes}, off: {model: yes, source: quiz/no, recipe: 2026-01-02}}\n"
    )
    mapping = read_mapping(tmp_path / "m.yaml", LmEvalMapping)
    assert mapping.languages == {"nob": "no"}
    assert [(key, run.model, run.baseline) for key, run in mapping.runs.items()] == [
        ("on", "yes", True),
        ("off", "yes", False),
    ]
    assert mapping.runs["off"].recipe == "2026-01-02"
