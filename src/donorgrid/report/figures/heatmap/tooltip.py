"""What the heat map's tooltips say of a cell: standard error, items, correct answers, seeds; or why it is missing.

The page carries these values in a compact form. Amounts in pp are whole hundredths. An array has a value per cell, row
by row, or a value per target if all sources agree, or a single value if all cells agree. ``templates/report.js`` reads
the arrays and writes the sentences.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from donorgrid.report.figures.heatmap.lines import Line
from donorgrid.report.formatting import hundredths, is_absent
from donorgrid.report.head import ReportHead

NOT_MEASURED = "not measured"

Row = Mapping[str, Any]
Values = tuple[int | None, ...]


def model_values(cells: Sequence[Row | None], *, error_column: str, n_targets: int) -> dict[str, Values | None]:
    """The tooltip's arrays for one model.

    Parameters
    ----------
    cells
        (n_sources * n_targets,) the cells' rows; None where missing.
    error_column
        The column of the standard error (pp).
    n_targets
        The number of columns of the heat map.

    Returns
    -------
    dict of str to tuple
        ``se``, ``seeds``, ``items``, ``right`` and ``base`` (correct answers of adapter and base); None where the table
        has no such values.
    """
    return {
        "se": cell_values(cells, error_column, hundredths),
        "seeds": shortened(cell_values(cells, "n_seeds"), n_targets),
        "items": shortened(cell_values(cells, "n_items"), n_targets),
        "right": cell_values(cells, "right"),
        "base": shortened(cell_values(cells, "right_base"), n_targets),
    }


def mean_values(cells: Sequence[Row | None], *, n_targets: int) -> dict[str, Values | None]:
    """The tooltip's arrays for the mean over models.

    Parameters
    ----------
    cells
        (n_sources * n_targets,) the cells' rows with ``lowest``, ``highest`` and ``n_models``; None where missing.
    n_targets
        The number of columns of the heat map.

    Returns
    -------
    dict of str to tuple
        ``low``, ``high`` and ``models``.
    """
    return {
        "low": cell_values(cells, "lowest", hundredths),
        "high": cell_values(cells, "highest", hundredths),
        "models": shortened(cell_values(cells, "n_models"), n_targets),
    }


def cell_error_column(deltas: pl.DataFrame) -> str:
    """The column of standard errors to show: over items if the table has them, otherwise over train seeds."""
    known = [name for name in ("se_pp", "se_seed_pp") if name in deltas.columns and deltas[name].is_not_null().any()]
    return known[0] if known else "se_pp"


def with_correct_counts(rows: pl.DataFrame, head: ReportHead) -> pl.DataFrame:
    """Adds the numbers of correct answers by the metric of each row.

    Parameters
    ----------
    rows
        Rows of ``DELTAS``.
    head
        Gives the metric where a row has none.

    Returns
    -------
    polars.DataFrame
        With ``right`` (adapter) and ``right_base`` (base model); null where the table has no such count.
    """
    return rows.with_columns(right=_correct(rows, head, ""), right_base=_correct(rows, head, "_base"))


def _correct(rows: pl.DataFrame, head: ReportHead, suffix: str) -> pl.Expr:
    absent = pl.lit(None, dtype=pl.Int64)
    acc, norm = (
        pl.col(name) if name in rows.columns else absent for name in (f"n_right{suffix}", f"n_right_norm{suffix}")
    )
    metric = pl.col("metric").fill_null(head.metric) if "metric" in rows.columns else pl.lit(head.metric)
    return pl.when(metric == "acc").then(acc).otherwise(norm)


def cell_values(cells: Sequence[Row | None], column: str, convert: Callable[[Any], int] = int) -> Values | None:
    """One column of the cells as whole numbers.

    Parameters
    ----------
    cells
        The cells' rows; None where missing.
    column
        The column.
    convert
        Turns a value into a whole number.

    Returns
    -------
    tuple or None
        None where a cell has no value; None altogether if no cell has one.
    """
    values = tuple(None if cell is None or is_absent(cell.get(column)) else convert(cell[column]) for cell in cells)
    return values if any(value is not None for value in values) else None


def shortened(values: Values | None, n_targets: int) -> Values | None:
    """Stores a value that all cells, or all sources of a target, share only once.

    Parameters
    ----------
    values
        A value per cell, row by row, or None.
    n_targets
        The number of columns.

    Returns
    -------
    tuple or None
        One value, one per target, or ``values`` unchanged.
    """
    if values is None:
        return None
    different = {value for value in values if value is not None}
    if len(different) == 1:
        return tuple(different)
    columns = [{value for value in values[column::n_targets] if value is not None} for column in range(n_targets)]
    if any(len(column) > 1 for column in columns):
        return values
    return tuple(next(iter(column), None) for column in columns)


def missing_reasons(
    cells: Sequence[Row | None],
    sources: Sequence[Line],
    targets: Sequence[Line],
    head: ReportHead,
    *,
    model: str,
    recipe: str,
) -> dict[int, str]:
    """Why cells are missing.

    Parameters
    ----------
    cells
        (n_sources * n_targets,) the cells' rows; None where missing.
    sources, targets
        The rows and columns of the heat map.
    head
        Gives the failures.
    model, recipe
        What the view shows.

    Returns
    -------
    dict of int to str
        Index of a missing cell to its reason.
    """
    reasons = {}
    for index, cell in enumerate(cells):
        if cell is not None:
            continue
        source, target = sources[index // len(targets)].name, targets[index % len(targets)].name
        reasons[index] = next(
            (
                failure.reason
                for failure in head.failures
                if failure.explains(model=model, source=source, target=target, recipe=recipe)
            ),
            NOT_MEASURED,
        )
    return reasons
