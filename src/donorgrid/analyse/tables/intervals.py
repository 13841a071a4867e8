"""Intervals by clustered resampling: of the regimes' means and rates, of roles and of sources."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.resampling import FEWEST_MODELS, Resampled, model_weights, resampled_deltas
from donorgrid.analyse.errors.run_errors import run_deviations, run_variances
from donorgrid.analyse.reading.cell_sets import DONORS, RECIPIENTS, CellSets, regime_sets, source_sets
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.arrays import Flags, Reals, Singles
from donorgrid.core.tables import INTERVALS
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.errors.intervals import drawn_mean_interval, effective_count, units_quantile
from donorgrid.statistics.harm import harmed, positive
from donorgrid.statistics.paired import pseudo_variance
from donorgrid.statistics.proportions import rate_interval

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
WITH_RATES = ("regime", "source")
"""Kinds whose positive-transfer rate and harm rate have intervals too."""


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
        for row in _rows(resampled, masks, settings, rates=kind in WITH_RATES)
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
    models = [(model, mask) for model, mask in zip(resampled, masks, strict=True) if mask.any()]
    sets = _DrawnSets(models=models, weights=model_weights(len(models), settings), settings=settings)
    estimates = {"mean_pp": sets.mean()}
    if rates:
        estimates["positive_rate"] = sets.rate(lambda values: positive(values).astype(np.float32))
        estimates["harm_rate"] = sets.rate(lambda values: harmed(values, settings.harm_limit_pp).astype(np.float32))
    units = "models, seeds, items" if len(models) >= FEWEST_MODELS else "seeds, items"
    return [
        {"statistic": name, "value": value, "low": low, "high": high}
        | {"resampled": units, "n_models": len(models), "n_draws": settings.n_bootstrap}
        for name, (value, low, high) in estimates.items()
    ]


@dataclass(frozen=True, kw_only=True)
class _DrawnSets:
    """One set of cells in every model that has it: its statistics are means over models of means over cells."""

    models: Sequence[tuple[Resampled, Flags]]
    weights: Reals
    settings: AnalysisSettings

    @property
    def quantile(self) -> float:
        """Student's t over the models where they are drawn again."""
        n_models = len(self.models)
        return units_quantile(self.settings.confidence, n_models if n_models >= FEWEST_MODELS else None)

    def mean(self) -> tuple[float, float, float]:
        """(value, low, high) of the mean delta."""
        value, draws = self._measured(lambda values: values), self._drawn(lambda values: values)
        n_items = sum(float(_n_items(model.paired)[mask].sum()) for model, mask in self.models)
        n_seeds = sum(float(model.paired.n_answered[mask].sum()) for model, mask in self.models) / n_items
        pseudo = pseudo_variance(n_items, n_seeds)
        return value, *drawn_mean_interval(value, draws, pseudo_variance=pseudo, quantile=self.quantile)

    def rate(self, statistic: _Statistic) -> tuple[float, float, float]:
        """(value, low, high) of a share of the cells."""
        value = self._measured(statistic)
        draws, first, second = (self._of_models(statistic, number).mean(axis=1) for number in range(3))
        further = max(0.0, float(np.var(self._drawn(statistic))) - float(np.var(draws)))
        n_cells = sum(int(mask.sum()) for _, mask in self.models)
        effective = effective_count(draws, (first, second), n_cells, further=further)
        return value, *rate_interval(value, effective, self.quantile)

    def _measured(self, statistic: _Statistic) -> float:
        values = [np.mean(statistic(model.paired.delta_pp[mask]), dtype=np.float64) for model, mask in self.models]
        return float(np.mean(values))

    def _drawn(self, statistic: _Statistic) -> Reals:
        """(draws,) with the models drawn again where there are enough."""
        return np.asarray((self.weights * self._of_models(statistic, 0)).sum(axis=1) / len(self.models))

    def _of_models(self, statistic: _Statistic, number: int) -> Reals:
        """(draws, models): in the draws, or in one of the two draws of each."""
        return np.stack(
            [_over_cells((model.delta_pp, *model.again_pp)[number][mask], statistic) for model, mask in self.models],
            axis=1,
        )


def _n_items(paired: ArmDifferences) -> Reals:
    """(sources, targets): items that a cell has answers to."""
    return np.add.reduceat(paired.answered > 0, paired.starts, axis=1, dtype=np.int64).astype(np.float64)


def _over_cells(values: Singles, statistic: _Statistic) -> Reals:
    """(draws,) means over the cells; a cell whose items were all left out of a draw does not count in it."""
    known = ~np.isnan(values)
    total = np.where(known, statistic(values), 0.0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1), dtype=np.float64)


TABLES = (
    TableMaker(
        {"intervals": INTERVALS},
        lambda arm: (intervals_table(arm.cells, arm.differences, arm.settings, by_seed=arm.by_seed),),
        headline=True,
    ),
)
