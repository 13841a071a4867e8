"""Finds a column that holds proportions in some cells and percent in others."""

import polars as pl

from donorgrid.core.errors import InputError

_RATIO = 10.0
"""Within a cell, proportions and percent differ by a factor near 100; scores of one unit rarely by more than this."""


def mixed_units(values: pl.Series, cells: pl.Series) -> tuple[int, int] | None:
    """Finds a proportion and a percentage in one column.

    Values in (0, 1] may be proportions, values above 1 are percent. A column is mixed if one cell holds only the
    first and another cell holds the second, or if a cell holds both and nothing between them.

    Parameters
    ----------
    values : Series
        Scores; zeros, negative and missing values are ignored.
    cells : Series
        The cell of each value: scores of one cell are close to each other, those of two cells need not be.

    Returns
    -------
    (int, int) or None
        The row of a proportion and the row of a percentage, counted from 0; None if the column has one unit.
    """
    frame = pl.DataFrame({"value": values.cast(pl.Float64), "cell": cells.cast(pl.String)}).with_row_index("row")
    frame = frame.filter(pl.col("value").is_finite() & (pl.col("value") > 0))
    small, large = frame.filter(pl.col("value") <= 1), frame.filter(pl.col("value") > 1)
    if not small.height or not large.height:
        return None
    only_small = small.join(large, on="cell", how="anti", nulls_equal=True, maintain_order="left")
    if only_small.height:
        return int(only_small["row"][0]), int(large["row"][0])
    by_cell = small.group_by("cell", maintain_order=True).agg(pl.col("row", "value").sort_by("value").last())
    both = by_cell.join(
        large.group_by("cell").agg(pl.col("row", "value").sort_by("value").first()), on="cell", nulls_equal=True,
        maintain_order="left",
    )  # fmt: skip
    apart = both.filter(pl.col("value_right") >= _RATIO * pl.col("value"))
    return (int(apart["row"][0]), int(apart["row_right"][0])) if apart.height else None


def refuse_mixed_units(frame: pl.DataFrame, name: str, cell: list[str]) -> None:
    """Raises InputError if a column holds proportions and percent.

    Parameters
    ----------
    frame : DataFrame
        The table.
    name : str
        A column of scores.
    cell : list of str
        The columns that name a row's target; may be empty.
    """
    labels = frame.select(cell=pl.concat_str(cell, separator="/") if cell else pl.lit("")).to_series()
    labels = labels if labels.len() == frame.height else pl.repeat("", frame.height, eager=True)
    mixed = mixed_units(frame[name], labels)
    if mixed is not None:
        share, percent = (f"row {row + 1} ({labels[row]}) is {frame[name][row]}" for row in mixed)
        raise InputError(
            f"column '{name}' mixes proportions and percent: {share}, {percent}; write the whole column in one unit"
        )
