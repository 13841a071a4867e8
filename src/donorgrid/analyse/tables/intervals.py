"""Intervals by clustered resampling: of the regimes' means and rates, of roles and of sources."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.resampling import FEWEST_MODELS, Resampled, model_weights, resampled_deltas
from donorgrid.analyse.errors.run_errors import run_deviations, run_variances
from donorgrid.analyse.reading.cell_sets import DONORS, RECIPIENTS, CellSets, regime_sets, source_sets
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.arrays import Flags, Reals
from donorgrid.core.tables import INTERVALS
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.errors.intervals import reversed_interval
from donorgrid.statistics.harm import harmed, positive

_Statistic = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.floating]]
SETS: Mapping[str, CellSets] = {
    "regime": regime_sets,
    "source": source_sets,
    "language donor": DONORS["language"],
    "language recipient": RECIPIENTS["language"],
    "task donor": DONORS["task"],
    "task recipient": RECIPIENTS["task"],
}
"""``kind`` -> the sets of cells whose means are resampled."""


def intervals_table(
    cells: pl.DataFrame,
    differences: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    by_seed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """INTERVALS rows of one arm.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``n_bootstrap``, ``confidence``, ``harm_limit_pp`` and ``seed``.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows: training runs are drawn again too.

    Returns
    -------
    DataFrame
        No rows without item answers or draws.
    """
    if not differences or settings.n_bootstrap < 2:
        return pl.DataFrame(schema=INTERVALS.schema_without_arm())
    arm = [name for name in ARM if by_seed is not None and name in by_seed.columns and name in cells.columns]
    seeds = by_seed.join(cells.select(arm).unique(), on=arm, nulls_equal=True) if by_seed is not None else None
    variances = run_variances(cells, by_seed)
    run_parts = [run_deviations(paired, seeds, variances) for paired in differences]
    resampled = resampled_deltas(differences, run_parts, settings)
    rows = [
        {"kind": kind, "name": name, **row}
        for kind, sets in SETS.items()
        for name, masks in _by_name(differences, sets).items()
        for row in _rows(resampled, masks, settings, rates=kind == "regime")
    ]
    return pl.DataFrame(rows, schema=INTERVALS.schema_without_arm())


def _by_name(differences: Sequence[ArmDifferences], sets: CellSets) -> dict[str, list[Flags]]:
    """Name -> one mask per model, of the cells that have answers; a name without any cell is left out."""
    answered = [{name: mask & (paired.n_answered > 0) for name, mask in sets(paired).items()} for paired in differences]
    names = list(dict.fromkeys(name for masks in answered for name in masks))
    empty = [np.zeros(paired.n_answered.shape, dtype=bool) for paired in differences]
    by_name = {name: [masks.get(name, none) for masks, none in zip(answered, empty, strict=True)] for name in names}
    return {name: masks for name, masks in by_name.items() if any(mask.any() for mask in masks)}


def _rows(
    resampled: Sequence[Resampled], masks: Sequence[Flags], settings: AnalysisSettings, *, rates: bool
) -> list[dict[str, object]]:
    statistics: dict[str, _Statistic] = {"mean_pp": lambda values: values}
    if rates:
        statistics |= {
            "positive_rate": lambda values: positive(values).astype(np.float32),
            "harm_rate": lambda values: harmed(values, settings.harm_limit_pp).astype(np.float32),
        }
    models = [(model, mask) for model, mask in zip(resampled, masks, strict=True) if mask.any()]
    weights = model_weights(len(models), settings)
    units = "models, seeds, items" if len(models) >= FEWEST_MODELS else "seeds, items"
    rows = []
    for name, statistic in statistics.items():
        value, low, high = _interval(models, statistic, weights, settings)
        if name != "mean_pp":
            low, high = max(0.0, low), min(1.0, high)
        row = {"statistic": name, "value": value, "low": low, "high": high}
        rows.append(row | {"resampled": units, "n_models": len(models), "n_draws": settings.n_bootstrap})
    return rows


def _interval(
    models: Sequence[tuple[Resampled, Flags]], statistic: _Statistic, weights: Reals, settings: AnalysisSettings
) -> tuple[float, float, float]:
    """(value, low, high) of the mean over models of the mean over cells."""
    measured = [np.mean(statistic(model.paired.delta_pp[mask]), dtype=np.float64) for model, mask in models]
    value = float(np.mean(measured))
    means = np.stack([_over_cells(model, mask, statistic) for model, mask in models], axis=1)
    draws = (weights * means).sum(axis=1) / len(models)
    return value, *reversed_interval(value, draws, settings.confidence)


def _over_cells(model: Resampled, mask: Flags, statistic: _Statistic) -> Reals:
    """(draws,) means over the cells; a cell whose items were all left out of a draw does not count in it."""
    values = model.delta_pp[mask]
    known = ~np.isnan(values)
    total = np.where(known, statistic(values), 0.0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1), dtype=np.float64)


TABLES = (
    TableMaker(
        {"intervals": INTERVALS},
        lambda arm: (intervals_table(arm.cells, arm.differences, arm.settings, by_seed=arm.by_seed),),
    ),
)
