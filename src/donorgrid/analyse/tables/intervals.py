"""Intervals by clustered resampling: of the regimes' means and rates, of roles and of sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.analyse.errors.drawn_rates import STATISTICS, Statistic, drawn_rate_interval
from donorgrid.analyse.errors.resampling import FEWEST_MODELS, Resampled, model_weights, resampled_arm
from donorgrid.analyse.reading.cell_sets import DONORS, RECIPIENTS, CellSets, regime_sets, source_sets
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.arrays import Flags, Reals, Singles
from donorgrid.core.tables import INTERVALS
from donorgrid.statistics.errors.intervals import drawn_mean_interval, units_quantile
from donorgrid.statistics.paired import pseudo_variance

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
    resampled: Sequence[Resampled] | None = None,
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
    resampled : sequence of Resampled, optional
        The cells under every draw, where they are drawn already.

    Returns
    -------
    DataFrame
        No rows without item answers or draws.
    """
    if resampled is None:
        resampled = resampled_arm(cells, differences, settings, by_seed=by_seed)
    if not resampled:
        return pl.DataFrame(schema=INTERVALS.schema_without_arm())
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
        estimates |= {name: sets.rate(STATISTICS[name](settings)) for name in ("positive_rate", "harm_rate")}
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

    def rate(self, statistic: Statistic) -> tuple[float, float, float]:
        """(value, low, high) of a share of the cells."""
        value = self._measured(statistic)
        once, first, second = (self._of_models(statistic, number) for number in range(3))
        n_cells = sum(int(mask.sum()) for _, mask in self.models)
        return value, *drawn_rate_interval(value, (once, first, second), n_cells, self.settings)

    def _measured(self, statistic: Statistic) -> float:
        values = [np.mean(statistic(model.paired.delta_pp[mask]), dtype=np.float64) for model, mask in self.models]
        return float(np.mean(values))

    def _drawn(self, statistic: Statistic) -> Reals:
        """(draws,) with the models drawn again where there are enough."""
        return np.asarray((self.weights * self._of_models(statistic, 0)).sum(axis=1) / len(self.models))

    def _of_models(self, statistic: Statistic, number: int) -> Reals:
        """(draws, models): in the draws, or in one of the two draws of each."""
        return np.stack(
            [_over_cells((model.delta_pp, *model.again_pp)[number][mask], statistic) for model, mask in self.models],
            axis=1,
        )


def _n_items(paired: ArmDifferences) -> Reals:
    """(sources, targets): items that a cell has answers to."""
    return np.add.reduceat(paired.answered > 0, paired.starts, axis=1, dtype=np.int64).astype(np.float64)


def _over_cells(values: Singles, statistic: Statistic) -> Reals:
    """(draws,) means over the cells; a cell whose items were all left out of a draw does not count in it."""
    known = ~np.isnan(values)
    total = np.where(known, statistic(values), 0.0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1), dtype=np.float64)


TABLES = (
    TableMaker(
        {"intervals": INTERVALS},
        lambda arm: (intervals_table(arm.cells, arm.differences, arm.settings, resampled=arm.resampled),),
        headline=True,
    ),
)
