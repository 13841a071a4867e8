"""Which cells of the full grid are missing, and from what."""

import polars as pl

SOURCE = ["source_task", "source_language"]
TARGET = ["target_task", "target_language"]


def coverage(cells: pl.DataFrame) -> pl.DataFrame:
    """COVERAGE rows of one arm: the grid is every seen model x source x target; one row ``grid``, then each end's.

    ``cells``: rows of plain cells, one per (model, source, target).
    """
    named = cells.select(
        "model", source=pl.concat_str(SOURCE, separator="/"), target=pl.concat_str(TARGET, separator="/")
    )
    sizes = {name: named[name].n_unique() for name in named.columns}
    whole = sizes["model"] * sizes["source"] * sizes["target"]
    total = pl.DataFrame({"dimension": ["grid"], "value": ["all"], "n_expected": [whole], "n_found": [named.height]})
    parts = [_one_end(named, name, expected=whole // max(size, 1)) for name, size in sizes.items()]
    return pl.concat([total, *parts]).with_columns(n_missing=pl.col("n_expected") - pl.col("n_found"))


def _one_end(named: pl.DataFrame, name: str, *, expected: int) -> pl.DataFrame:
    found = named.group_by(name).agg(n_found=pl.len().cast(pl.Int64)).sort(name)
    n_expected = pl.lit(expected, dtype=pl.Int64)
    return found.select(dimension=pl.lit(name), value=pl.col(name), n_expected=n_expected, n_found="n_found")
