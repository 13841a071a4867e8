"""Intervals of the rates of groups of cells, from resampled deltas."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.resampling import FEWEST_MODELS, Resampled, model_weights
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Reals, Singles
from donorgrid.statistics.errors.intervals import effective_count, units_quantile
from donorgrid.statistics.harm import harmed, positive
from donorgrid.statistics.proportions import rate_interval

Statistic = Callable[[npt.NDArray[np.floating]], npt.NDArray[np.floating]]
_CELL = ["source_name", "target_task", "target_language"]


def is_positive(_: AnalysisSettings) -> Statistic:
    """1 for a cell that gained, else 0."""
    return lambda values: positive(values).astype(np.float32)


def is_harmed(settings: AnalysisSettings) -> Statistic:
    """1 for a cell at or below minus the harm limit, else 0."""
    return lambda values: harmed(values, settings.harm_limit_pp).astype(np.float32)


STATISTICS: Mapping[str, Callable[[AnalysisSettings], Statistic]] = {
    "positive_rate": is_positive,
    "harm_rate": is_harmed,
    "off_task_harm_rate": is_harmed,
}
"""Column of a rate -> what it counts."""


def drawn_rate_interval(
    value: float, rates: tuple[Reals, Reals, Reals], n_cells: int, settings: AnalysisSettings
) -> tuple[float, float]:
    """The interval of a share of cells (docs/statistics.md).

    Parameters
    ----------
    value : float
        The share that was measured.
    rates : (ndarray, ndarray, ndarray)
        The share in each model under every draw, and under two draws of each, shape ``(n_draws, n_models)``.
    n_cells : int
        Cells of all models.
    settings : AnalysisSettings
        ``confidence`` and ``seed``.

    Returns
    -------
    low, high : float
        From 0 to 1, around ``value``.
    """
    n_models = rates[0].shape[1]
    draws, first, second = (rate.mean(axis=1) for rate in rates)
    weighted = (model_weights(n_models, settings) * rates[0]).sum(axis=1) / n_models
    further = max(0.0, float(np.var(weighted)) - float(np.var(draws)))
    effective = effective_count(draws, (first, second), n_cells, further=further)
    quantile = units_quantile(settings.confidence, n_models if n_models >= FEWEST_MODELS else None)
    return rate_interval(value, effective, quantile)


def with_rate_intervals(
    table: pl.DataFrame,
    by: Sequence[str],
    *,
    cells: pl.DataFrame,
    resampled: Sequence[Resampled],
    settings: AnalysisSettings,
) -> pl.DataFrame:
    """A table of groups of cells with the intervals of its rates.

    Parameters
    ----------
    table : DataFrame
        One row per group, with ``by`` and any of the columns in ``STATISTICS``.
    by : sequence of str
        Columns that make the groups.
    cells : DataFrame
        The cells of the groups, with ``by``, ``model`` and the names of source and target.
    resampled : sequence of Resampled
        One per model that has item answers.
    settings : AnalysisSettings
        ``harm_limit_pp``, ``confidence`` and ``seed``.

    Returns
    -------
    DataFrame
        With ``<rate>_low`` and ``<rate>_high``; null for a group with a cell that has no item answers.
    """
    rates = [name for name in STATISTICS if name in table.columns]
    groups = table.select(by).with_row_index("group")
    numbered = cells.join(groups, on=list(by), how="inner", maintain_order="left")
    members = [_members(model, numbered, table.height) for model in resampled]
    n_answered = sum((mask.sum(axis=1) for mask in members), np.zeros(table.height))
    sizes = dict(numbered.group_by("group").len().iter_rows())
    whole = [0 < n == sizes.get(group, 0) for group, n in enumerate(n_answered.astype(int).tolist())]
    added: dict[str, list[float | None]] = {}
    for name in rates:
        drawn = [
            _rates(model, mask, STATISTICS[name](settings)) for model, mask in zip(resampled, members, strict=True)
        ]
        ends = [
            _ends(value, group, drawn, members, settings) if whole[group] else (None, None)
            for group, value in enumerate(table[name].to_list())
        ]
        added |= {f"{name}_low": [low for low, _ in ends], f"{name}_high": [high for _, high in ends]}
    return table.with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in added.items())


def _members(model: Resampled, cells: pl.DataFrame, n_groups: int) -> Singles:
    """(groups, sources x targets): 1 for a cell of the group that has answers."""
    paired = model.paired
    sources = {name: number for number, name in enumerate(paired.source_names)}
    targets = {(task, language): number for number, (task, language, _) in enumerate(paired.targets())}
    mask = np.zeros((n_groups, len(sources), len(targets)), dtype=np.float32)
    of_model = cells.filter(pl.col("model") == paired.model)
    for group, source, task, language in of_model.select("group", *_CELL).iter_rows():
        if source in sources and (task, language) in targets:
            mask[group, sources[source], targets[task, language]] = 1.0
    return np.asarray((mask * (paired.n_answered > 0)).reshape(n_groups, len(sources) * len(targets)), dtype=np.float32)


def _rates(model: Resampled, members: Singles, statistic: Statistic) -> tuple[Reals, Reals, Reals]:
    """(groups, draws): each group's share in the draws, and in two draws of each."""
    return (
        _shares(model.delta_pp, members, statistic),
        _shares(model.again_pp[0], members, statistic),
        _shares(model.again_pp[1], members, statistic),
    )


def _shares(drawn: Singles, members: Singles, statistic: Statistic) -> Reals:
    """A cell whose items were all left out of a draw does not count in it."""
    values = drawn.reshape(members.shape[1], -1)
    known = ~np.isnan(values)
    counted = (members @ np.where(known, statistic(values), 0.0).astype(np.float32)).astype(np.float64)
    return np.asarray(counted / np.maximum(members @ known.astype(np.float32), 1.0))


def _ends(
    value: float,
    group: int,
    drawn: Sequence[tuple[Reals, Reals, Reals]],
    members: Sequence[Singles],
    settings: AnalysisSettings,
) -> tuple[float, float]:
    having = [number for number, mask in enumerate(members) if mask[group].any()]
    once, first, second = (np.stack([drawn[number][kind][group] for number in having], axis=1) for kind in range(3))
    n_cells = int(sum(float(members[number][group].sum()) for number in having))
    return drawn_rate_interval(value, (once, first, second), n_cells, settings)
