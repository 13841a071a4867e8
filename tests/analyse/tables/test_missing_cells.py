"""Which cells of the full grid are missing, by hand."""

import polars as pl

from donorgrid.analyse.tables.coverage import coverage


def test_every_end_misses_its_own_cells() -> None:
    ends = [(model, source, target) for model in "mn" for source in ("de", "it") for target in ("de", "it", "pt")]
    rows = [
        {
            "model": model,
            "source_task": "quiz",
            "source_language": source,
            "target_task": "quiz",
            "target_language": target,
        }
        for model, source, target in ends
        if (model, source, target) != ("n", "it", "pt")
    ]
    found = {
        (row["dimension"], row["value"]): (row["n_expected"], row["n_found"], row["n_missing"])
        for row in coverage(pl.DataFrame(rows)).to_dicts()
    }
    assert found == {
        ("grid", "all"): (12, 11, 1),
        ("model", "m"): (6, 6, 0),
        ("model", "n"): (6, 5, 1),
        ("source", "quiz/de"): (6, 6, 0),
        ("source", "quiz/it"): (6, 5, 1),
        ("target", "quiz/de"): (4, 4, 0),
        ("target", "quiz/it"): (4, 4, 0),
        ("target", "quiz/pt"): (4, 3, 1),
    }
