"""Which cells of the full grid are missing, and from what."""

import polars as pl

from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.tables import COVERAGE

_SOURCE = ["source_task", "source_language"]
_TARGET = ["target_task", "target_language"]


def coverage(cells: pl.DataFrame) -> pl.DataFrame:
    """COVERAGE rows of one arm: a row ``grid``, then a row for every model, source and target.

    The full grid has every model, source and target that occurs. ``cells``: plain cells, one row per
    (model, source, target).
    """
    named = cells.select(
        "model", source=pl.concat_str(_SOURCE, separator="/"), target=pl.concat_str(_TARGET, separator="/")
    )
    sizes = {name: named[name].n_unique() for name in named.columns}
    whole = sizes["model"] * sizes["source"] * sizes["target"]
    total = pl.DataFrame({"dimension": ["grid"], "value": ["all"], "n_expected": [whole], "n_found": [named.height]})
    parts = [_by_value(named, name, expected=whole // max(size, 1)) for name, size in sizes.items()]
    return pl.concat([total, *parts]).with_columns(n_missing=pl.col("n_expected") - pl.col("n_found"))


def _by_value(named: pl.DataFrame, name: str, *, expected: int) -> pl.DataFrame:
    counts = named.group_by(name).agg(n_found=pl.len().cast(pl.Int64)).sort(name)
    n_expected = pl.lit(expected, dtype=pl.Int64)
    return counts.select(dimension=pl.lit(name), value=pl.col(name), n_expected=n_expected, n_found="n_found")


TABLES = (TableMaker({"coverage": COVERAGE}, lambda arm: (coverage(arm.cells),)),)
