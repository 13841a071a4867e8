"""Checks of a result table that others made. Scores are proportions (0-1), deltas percentage points."""

from typing import NamedTuple

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Metric
from donorgrid.core.tables.study import DELTAS, DELTAS_BY_SEED
from donorgrid.core.tables.units import refuse_mixed_units

CELL_COLUMNS = ("source_task", "source_language", "target_task", "target_language")


class MetricColumns(NamedTuple):
    """The columns that a result table may have for one metric.

    Attributes
    ----------
    score, base, delta : str
        The score, the baseline, and their difference.
    right, right_base : str
        Counts of right answers.
    seed_se : str
        The standard error over train seeds.
    """

    score: str
    base: str
    delta: str
    right: str
    right_base: str
    seed_se: str


METRIC_COLUMNS: dict[Metric, MetricColumns] = {
    "acc_norm": MetricColumns(
        score="score_norm",
        base="score_norm_base",
        delta="delta_acc_norm_pp",
        right="n_right_norm",
        right_base="n_right_norm_base",
        seed_se="delta_score_norm_se",
    ),
    "acc": MetricColumns(
        score="score",
        base="score_base",
        delta="delta_acc_pp",
        right="n_right",
        right_base="n_right_base",
        seed_se="delta_score_se",
    ),
}
"""Metric -> its columns."""
NEEDED = ("model", *CELL_COLUMNS)
SCORES = ("score", "score_base", "score_norm", "score_norm_base")
_TYPES = {**DELTAS.columns, **DELTAS_BY_SEED.columns}
_MISSING = ("", "na", "n/a", "#n/a", "nan", "none", "null")
_ROUNDING = 5e-4
_LEAST = {"n_items": 1, "n_seeds": 1, "train_size": 1}
"""The least value of a count; 0 for the others."""


def check_result_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Checks a result table and gives its known columns their declared types.

    Parameters
    ----------
    frame : DataFrame
        Rows with donorgrid's column names. Empty cells and "NA", "n/a", "NaN", "None", "null" are missing values.

    Returns
    -------
    DataFrame
        The rows; columns that are not known stay as they are.

    Raises
    ------
    InputError
        If a needed column is missing or empty, a value is no number or out of its range, or a column of scores mixes
        proportions and percent. The message names the row.
    """
    for name in NEEDED:
        if name not in frame.columns:
            raise InputError(
                f"column '{name}' (or its released name) is missing{suggestion(name, frame.columns)}; it has "
                f"{', '.join(frame.columns)}"
            )
    if not any(has_delta(frame, metric) for metric in METRIC_COLUMNS) and "delta_pp" not in frame.columns:
        wanted = " or ".join(f"'{of.delta}', or '{of.score}' and '{of.base}'" for of in METRIC_COLUMNS.values())
        raise InputError(f"it has neither a delta nor a score and its baseline; needed is {wanted}, or 'delta_pp'")
    frame = frame.with_columns(typed(frame[name], _TYPES[name]) for name in frame.columns if name in _TYPES)
    for name in NEEDED:
        _refuse_empty(frame, name)
    for name in SCORES:
        if name in frame.columns:
            _check_proportion(frame, name)
    for of in METRIC_COLUMNS.values():
        if {of.delta, of.score, of.base} <= set(frame.columns):
            _check_delta(frame, of.delta, frame[of.score] - frame[of.base])
    for name, kind in _TYPES.items():
        if name in frame.columns and kind == pl.Int64:
            _check_count(frame, name)
    return frame


def has_delta(frame: pl.DataFrame, metric: Metric) -> bool:
    """True if a table has a delta of a metric, or a score and its baseline.

    Parameters
    ----------
    frame : DataFrame
        Rows with donorgrid's column names.
    metric : {"acc", "acc_norm"}
        The metric.

    Returns
    -------
    bool
    """
    of = METRIC_COLUMNS[metric]
    return of.delta in frame.columns or {of.score, of.base} <= set(frame.columns)


def typed(column: pl.Series, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    """Returns a column in another type.

    Parameters
    ----------
    column : Series
        Text or numbers; "NA" and the like are missing values if the type is a number.
    kind : DataType
        Text, whole numbers or real numbers.

    Returns
    -------
    Series
        The column; NaN is a missing value.

    Raises
    ------
    InputError
        If a value does not fit the type; the message names the row.
    """
    if kind != pl.String and not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise InputError(f"column '{column.name}' holds {column.dtype}, expected {_word(kind)}")
    if kind == pl.String and (column.dtype.is_nested() or column.dtype == pl.Binary):
        raise InputError(f"column '{column.name}' holds {column.dtype}, expected text")
    if column.dtype == pl.String and kind != pl.String:
        column = column.str.strip_chars()
        column = column.set(column.str.to_lowercase().is_in(_MISSING), None)
    converted = column.cast(kind, strict=False)
    wrong = column.is_not_null() & converted.is_null()
    if column.dtype.is_float() and kind == pl.Int64:
        wrong = (column.is_not_nan() & (converted.is_null() | (converted != column))).fill_null(False)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        hint = "; write the decimals after a point" if "," in str(column[row]) and kind == pl.Float64 else ""
        raise InputError(f"row {row + 1}: column '{column.name}' is '{column[row]}', expected {_word(kind)}{hint}")
    return converted.fill_nan(None) if converted.dtype.is_float() else converted


def _word(kind: pl.DataType | type[pl.DataType]) -> str:
    return "a whole number" if kind == pl.Int64 else "a number" if kind == pl.Float64 else "text"


def _refuse_empty(frame: pl.DataFrame, name: str) -> None:
    empty = frame[name].is_null() | (frame[name] == "")
    if "source_kind" in frame.columns and name.startswith("source_"):
        empty &= (frame["source_kind"] == "cell").fill_null(True)  # a mix has several cells
    if empty.any():
        row = int(empty.arg_true()[0]) + 1
        hint = "; rows of base models? name them in the mapping's key 'baseline_rows'" if "source" in name else ""
        raise InputError(f"row {row}: column '{name}' is empty{hint}")


def _check_proportion(frame: pl.DataFrame, name: str) -> None:
    values = frame[name]
    wrong = values.is_not_null() & ~values.is_between(0.0, 1.0)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        percent = values.is_between(0.0, 100.0).all()
        if percent:
            refuse_mixed_units(frame, name, ["target_task", "target_language"])
        hint = f"; if the column is in percent, write 'percent: [{name}]' in the mapping" if percent else ""
        raise InputError(f"row {row + 1}: column '{name}' is {values[row]}, expected a proportion from 0 to 1{hint}")


def _check_delta(frame: pl.DataFrame, name: str, difference: pl.Series) -> None:
    """Raises InputError for a delta in proportions: it equals the difference of the scores, not 100 times that."""
    wrong = ((frame[name] - difference).abs() < _ROUNDING) & (difference.abs() > 10 * _ROUNDING)
    if wrong.fill_null(False).any():
        row = int(wrong.fill_null(False).arg_true()[0])
        raise InputError(
            f"row {row + 1}: column '{name}' is {frame[name][row]}, the plain difference of two proportions; "
            "expected percentage points, 100 times as much"
        )


def _check_count(frame: pl.DataFrame, name: str) -> None:
    counts, least = frame[name], _LEAST.get(name, 0)
    wrong = (counts < least).fill_null(False)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise InputError(f"row {row + 1}: column '{name}' is {counts[row]}, expected at least {least}")
    if name.startswith("n_right") and "n_items" in frame.columns:
        more = (counts > frame["n_items"]).fill_null(False)
        if more.any():
            row = int(more.arg_true()[0])
            raise InputError(f"row {row + 1}: column '{name}' is {counts[row]}, of {frame['n_items'][row]} items")
