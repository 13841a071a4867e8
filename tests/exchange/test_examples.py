"""The example mappings read, and the example table becomes deltas."""

from pathlib import Path

import pytest

from donorgrid.analyse import read_tables, to_released
from donorgrid.analyse.reading.released_names import from_released
from donorgrid.exchange import import_table
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.mapping_files import read_mapping

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"


def test_the_lm_eval_mapping_reads():
    mapping = read_mapping(EXAMPLES / "lm-eval.yaml", LmEvalMapping)
    assert [one.baseline for one in mapping.runs.values()] == [True, False, False]
    assert mapping.for_task("id_field", "xcopa") == "idx"
    assert mapping.for_task("id_field", "belebele") is None


def test_the_table_becomes_deltas(tmp_path):
    place = str(EXAMPLES / "scores.csv")
    imported = import_table([place], to_our_names=from_released, mapping_file=EXAMPLES / "table.yaml")
    to_released(imported.frame).write_csv(tmp_path / "imported.csv")
    deltas = read_tables([tmp_path / "imported.csv"], metric="acc").deltas
    found = {(row["source_language"], row["target_language"]): row["delta_pp"] for row in deltas.iter_rows(named=True)}
    assert found == pytest.approx({("de", "de"): 12.75, ("de", "it"): 2.25, ("it", "de"): 0.5, ("it", "it"): 16.0})
