"""Result tables spell one language in several ways."""

import polars as pl

from donorgrid.pipeline.analyse.analyse_study import analyse_study
from donorgrid.pipeline.exchange.import_results import import_tables

ROWS = [
    {"model": "m", "source_task": "a", "source_language": source, "target_task": "b", "target_language": target,
     "score": 0.5, "score_base": 0.4, "score_norm": 0.5, "score_norm_base": 0.4, "source_name": f"a/{source}"}
    for source, target in (("de", "deu_Latn"), ("German", "fra_Latn"), ("zho_Hant", "zh"), ("lab", "lab"))
][:3]  # fmt: skip
EXPECTED = {("de", "de"): "CT-ML", ("de", "fr"): "CT-CL", ("zh-Hant", "zh"): "CT-CL"}


def regimes(analysed):
    rows = analysed.tables["deltas"].iter_rows(named=True)
    return {(row["source_language"], row["target_language"]): row["regime"] for row in rows}


def test_a_table_is_analysed_and_imported_by_its_languages(tmp_path):
    pl.DataFrame(ROWS).write_csv(tmp_path / "t.csv")
    analysed = analyse_study(tmp_path / "t.csv", tmp_path / "direct")
    assert regimes(analysed) == EXPECTED
    assert set(analysed.tables["deltas"]["source_name"]) == {"a/de", "a/zh-Hant"}
    imported = import_tables([str(tmp_path / "t.csv")], None, tmp_path / "o")
    assert regimes(analyse_study(imported.path, tmp_path / "imported")) == EXPECTED


def test_base_rows_are_found_by_their_language(tmp_path):
    rows = [
        {
            "model": "m",
            "source_task": "a",
            "source_language": "de",
            "target_task": "b",
            "target_language": "de",
            "score_norm": 0.5,
        },
        {
            "model": "m",
            "source_task": None,
            "source_language": None,
            "target_task": "b",
            "target_language": "deu_Latn",
            "score_norm": 0.4,
        },
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    (tmp_path / "map.yaml").write_text("baseline_rows: {column: source_task}\n")
    imported = import_tables([str(tmp_path / "t.csv")], tmp_path / "map.yaml", tmp_path / "o")
    assert imported.path.exists()
