"""Integer counts of result tables: as given, or recovered. A score of k/N with N small is k right answers of N."""

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Metric
from donorgrid.core.tables import CELL_COLUMNS, METRIC_COLUMNS, MetricColumns

AGREEMENT_PP = 1e-6
"""The largest difference between a delta and its counts that rounding explains."""
MOST_ITEMS = 20_000
TOLERANCE = 1e-9
_PROBES = 12


def common_denominator(
    proportions: npt.NDArray[np.float64], *, multiple_of: int = 1, most: int = MOST_ITEMS
) -> int | None:
    """The smallest N such that every proportion is a multiple of 1/N.

    Parameters
    ----------
    proportions : ndarray
        Scores from 0 to 1, shape ``(n,)``.
    multiple_of : int
        N is a multiple of this number.
    most : int
        The largest N to try.

    Returns
    -------
    int or None
        None if there is no such N, or if N is just the power of ten to which the numbers were rounded:
        "0.351, 0.42" are three decimals, not evidence of 1,000 items.
    """
    values = np.unique(proportions)
    if values.size == 0 or not np.isfinite(values).all():
        return None
    candidates = np.arange(multiple_of, most + 1, multiple_of)
    candidates = candidates[_fits(values[:: max(1, values.size // _PROBES)], candidates)]
    for number in candidates:
        if _fits(values, np.array([number]))[0]:
            return None if number == 10 ** _decimals(values) else int(number)
    return None


def _fits(values: npt.NDArray[np.float64], candidates: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    products = values[:, None] * candidates
    return np.asarray((np.abs(products - np.round(products)) <= TOLERANCE * candidates).all(axis=0))


def _decimals(values: npt.NDArray[np.float64]) -> int:
    """Decimals that write every value exactly; 15 when nothing shorter does."""
    return next((decimals for decimals in range(15) if (np.round(values, decimals) == values).all()), 15)


def add_counts(frame: pl.DataFrame, metric: Metric, notes: list[str]) -> pl.DataFrame:
    """Adds integer counts, as given or recovered per target where the scores allow, and the exact delta they give.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``delta_raw_pp`` and ``delta_pp``.
    metric : {"acc", "acc_norm"}
        The score whose counts to add.
    notes : list of str
        Gets a line that says what was recovered or is missing.

    Returns
    -------
    DataFrame
        ``delta_pp`` is exact where there are counts.

    Raises
    ------
    InputError
        When counts contradict their delta.
    """
    names = METRIC_COLUMNS[metric]
    if not {names.right, names.right_base, "n_items"} <= set(frame.columns):
        if not {names.score, names.base} <= set(frame.columns):
            notes.append("the tables have neither counts nor scores: limits are compared on rounded deltas")
            return frame
        frame = _recovered(frame, names, notes)
    exact = _exact_pp(frame, names)
    wrong = frame.filter((exact - frame["delta_raw_pp"]).abs() > AGREEMENT_PP)
    if wrong.height:
        row = "/".join(str(wrong[name][0]) for name in ("model", *CELL_COLUMNS))
        raise InputError(
            f"result table: {wrong.height} rows have counts that contradict their delta, the first is {row}"
        )
    return frame.with_columns(delta_pp=pl.coalesce(exact, "delta_pp"))


def _exact_pp(frame: pl.DataFrame, names: MetricColumns) -> pl.Series:
    """The delta of the counts, one correctly rounded division (NumPy: Polars may multiply by a reciprocal)."""
    gained, n_items = frame[names.right] - frame[names.right_base], frame["n_items"].cast(pl.Float64)
    exact = 100.0 * gained.cast(pl.Float64).to_numpy() / n_items.to_numpy()
    return pl.Series("delta_pp", exact, nan_to_null=True)


def _recovered(frame: pl.DataFrame, names: MetricColumns, notes: list[str]) -> pl.DataFrame:
    of_targets, n_recovered = [], 0
    numbered = frame.with_row_index("row")
    for of_target in numbered.partition_by("target_task", "target_language", maintain_order=True):
        n_items = _n_items(of_target, names)
        n_recovered += of_target.height if n_items else 0
        counts = {
            count: (pl.col(score) * n_items).round().cast(pl.Int64) if n_items else pl.lit(None, dtype=pl.Int64)
            for count, score in ((names.right, names.score), (names.right_base, names.base))
        }
        of_targets.append(of_target.with_columns(**counts, n_items=pl.lit(n_items, dtype=pl.Int64)))
    notes.append(f"integer counts were recovered from the scores for {n_recovered} of {frame.height} rows")
    rows = pl.concat(of_targets).sort("row").drop("row")
    agrees = (_exact_pp(rows, names) - rows["delta_raw_pp"]).abs() <= AGREEMENT_PP
    keep = pl.when(agrees)
    return rows.with_columns(keep.then(pl.col(name)).alias(name) for name in (names.right, names.right_base, "n_items"))


def _n_items(of_target: pl.DataFrame, names: MetricColumns) -> int | None:
    scores = [of_target[name].drop_nulls().to_numpy() for name in (names.score, names.base)]
    n_seeds = max(of_target["n_seeds"].drop_nulls().to_list(), default=1)
    return common_denominator(np.concatenate(scores).astype(np.float64), multiple_of=max(1, int(n_seeds)))
