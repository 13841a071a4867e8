"""Intervals by clustered resampling: of the regimes' means and rates, of roles and of sources."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.cell_errors import run_variances
from donorgrid.analyse.errors.item_sums import Mask, donor_sets, recipient_sets, regime_sets, source_sets
from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.errors.resampling import (
    FEWEST_MODELS,
    Resampled,
    model_weights,
    resampled_deltas,
    run_deviations,
)
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.tables import INTERVALS
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.harm import harmed, positive

Reals = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.floating]]
SETS: Mapping[str, Callable[[ArmDifferences], dict[str, Mask]]] = {
    "regime": regime_sets,
    "source": source_sets,
    "language donor": lambda made: donor_sets(made, "language"),
    "language recipient": lambda made: recipient_sets(made, "language"),
    "task donor": lambda made: donor_sets(made, "task"),
    "task recipient": lambda made: recipient_sets(made, "task"),
}


def intervals_table(
    cells: pl.DataFrame,
    own: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    by_seed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """INTERVALS rows of one arm; none without item answers or draws."""
    if not own or settings.n_bootstrap < 2:
        return pl.DataFrame(schema=INTERVALS.schema_without_arm())
    arm = [name for name in ARM if by_seed is not None and name in by_seed.columns and name in cells.columns]
    seeds = by_seed.join(cells.select(arm).unique(), on=arm, nulls_equal=True) if by_seed is not None else None
    variances = run_variances(cells, by_seed)
    drawn = resampled_deltas(own, [run_deviations(made, seeds, variances) for made in own], settings)
    rows = [
        {"kind": kind, "name": name, **row}
        for kind, sets in SETS.items()
        for name, masks in _by_name(own, sets).items()
        for row in _rows(drawn, masks, settings, rates=kind == "regime")
    ]
    return pl.DataFrame(rows, schema=INTERVALS.schema_without_arm())


def _by_name(own: Sequence[ArmDifferences], sets: Callable[[ArmDifferences], dict[str, Mask]]) -> dict[str, list[Mask]]:
    """Name -> one mask per model, of the cells that have answers; a name without any cell is left out."""
    masks = [{name: mask & (made.n_answered > 0) for name, mask in sets(made).items()} for made in own]
    names = list(dict.fromkeys(name for one in masks for name in one))
    none = [np.zeros(made.n_answered.shape, dtype=bool) for made in own]
    found = {name: [one.get(name, empty) for one, empty in zip(masks, none, strict=True)] for name in names}
    return {name: of_models for name, of_models in found.items() if any(mask.any() for mask in of_models)}


def _rows(
    drawn: Sequence[Resampled], masks: Sequence[Mask], settings: AnalysisSettings, *, rates: bool
) -> list[dict[str, object]]:
    statistics: dict[str, Statistic] = {"mean_pp": lambda values: values}
    if rates:
        statistics |= {
            "positive_rate": lambda values: positive(values).astype(np.float32),
            "harm_rate": lambda values: harmed(values, settings.harm_limit_pp).astype(np.float32),
        }
    having = [(one, mask) for one, mask in zip(drawn, masks, strict=True) if mask.any()]
    weights = model_weights(len(having), settings)
    named = "models, seeds, items" if len(having) >= FEWEST_MODELS else "seeds, items"
    rows = []
    for name, statistic in statistics.items():
        value, low, high = _interval(having, statistic, weights, settings)
        if name != "mean_pp":
            low, high = max(0.0, low), min(1.0, high)
        row = {"statistic": name, "value": value, "low": low, "high": high}
        rows.append(row | {"resampled": named, "n_models": len(having), "n_draws": settings.n_bootstrap})
    return rows


def _interval(
    having: Sequence[tuple[Resampled, Mask]], statistic: Statistic, weights: Reals, settings: AnalysisSettings
) -> tuple[float, float, float]:
    """(value, low, high): the mean over models of the mean over cells, with the reversed bootstrap interval.

    2 value - quantile: a rate of noisy cells drawn again is noisier still, and the reversal takes that bias back.
    """
    value = float(np.mean([np.mean(statistic(one.made.delta_pp[mask]), dtype=np.float64) for one, mask in having]))
    means = np.stack([_over_cells(one, mask, statistic) for one, mask in having], axis=1)
    draws = (weights * means).sum(axis=1) / len(having)
    tail = (1.0 - settings.confidence) / 2.0
    above, below = np.quantile(draws, [1.0 - tail, tail])
    return value, float(2 * value - above), float(2 * value - below)


def _over_cells(one: Resampled, mask: Mask, statistic: Statistic) -> Reals:
    """(draws,) means over the cells; a cell whose items were all left out of a draw does not count in it."""
    values = one.delta_pp[mask]
    known = ~np.isnan(values)
    total = np.where(known, statistic(values), 0.0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1), dtype=np.float64)
