"""Empirical Bayes: what the cells' true deltas may be, given what a crossed model says of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.analyse.reading.factors import CROSSED, FITS, factors_of
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Reals
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER, TRANSFER_REGIMES
from donorgrid.statistics.errors.shared_noise import NO_SHARED_NOISE, SharedNoise
from donorgrid.statistics.mixed_models.explained import Explained, akaike, explain
from donorgrid.statistics.posteriors import errors_in_proportion, truths
from donorgrid.statistics.shrinkage import Posterior

FEWEST_CELLS = 3
COLUMNS = ("eb_mean_pp", "eb_low_pp", "eb_high_pp", "eb_harm_probability", "prior_sd_pp")


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Cells with one prior: a regime, or all transfer regimes with a mean each."""

    name: str
    rows: pl.DataFrame
    model: Explained


def with_posteriors(cells: pl.DataFrame, shared: Mapping[str, SharedNoise], settings: AnalysisSettings) -> pl.DataFrame:
    """The cells with their posteriors, in their order.

    The trained cells have a prior of their own. The transfer regimes have one together, with a mean each, or one each,
    whichever describes the deltas better.

    Parameters
    ----------
    cells : DataFrame
        Cells of one arm with ``noise_se_pp``.
    shared : mapping of str to SharedNoise
        Regime, or ``transfer`` -> the noise that its cells share.
    settings : AnalysisSettings
        ``confidence`` and ``harm_limit_pp``.

    Returns
    -------
    DataFrame
        With ``COLUMNS``; empty where a cell's noise is not known or its regime has too few cells.
    """
    numbered = cells.with_row_index("row")
    known = numbered.filter(pl.col("noise_se_pp").is_not_null())
    groups = [_group(known, TRAINED_CELL, (TRAINED_CELL,)), *_transfer(known)]
    posteriors = [
        _posterior(group, shared.get(group.name, NO_SHARED_NOISE), settings) for group in groups if group is not None
    ]
    empty = pl.DataFrame(schema={"row": pl.UInt32, **dict.fromkeys(COLUMNS, pl.Float64)})
    return numbered.join(pl.concat([empty, *posteriors]), on="row", how="left", maintain_order="left").drop("row")


def _group(known: pl.DataFrame, name: str, regimes: Sequence[str]) -> _Group | None:
    rows = known.filter(pl.col("regime").is_in(regimes))
    if rows.height < FEWEST_CELLS:
        return None
    present = [regime for regime in regimes if (rows["regime"] == regime).any()]
    means = np.stack([(rows["regime"] == regime).to_numpy() for regime in present], axis=1).astype(np.float64)
    model = explain(factors_of(rows, FITS[CROSSED]).usable, rows["delta_pp"].to_numpy(), means)
    return None if model is None else _Group(name=name, rows=rows, model=model)


def _transfer(known: pl.DataFrame) -> list[_Group | None]:
    """One prior or one per regime, by Akaike's criterion on the restricted likelihood: the means are the same."""
    together = _group(known, TRANSFER, TRANSFER_REGIMES)
    present = [regime for regime in TRANSFER_REGIMES if (known["regime"] == regime).any()]
    apart = [_group(known, regime, (regime,)) for regime in present]
    of_one, of_several = _criterion([together]), _criterion(apart)
    return apart if of_one is None or (of_several is not None and of_several < of_one) else [together]


def _criterion(groups: Sequence[_Group | None]) -> float | None:
    return akaike([None if group is None else group.model for group in groups])


def _posterior(group: _Group, shared: SharedNoise, settings: AnalysisSettings) -> pl.DataFrame:
    noise = group.rows["noise_se_pp"].to_numpy() ** 2
    errors = errors_in_proportion(noise, shared, factors=group.model.variances)
    posterior, variance = truths(group.model, group.rows["delta_pp"].to_numpy(), errors)
    columns = _columns(posterior, float(np.sqrt(variance)), settings)
    return group.rows.select("row").with_columns(pl.Series(name, values) for name, values in columns.items())


def _columns(posterior: Posterior, prior_sd: float, settings: AnalysisSettings) -> dict[str, Reals]:
    low, high = posterior.interval(settings.confidence)
    return {
        "eb_mean_pp": posterior.mean,
        "eb_low_pp": low,
        "eb_high_pp": high,
        "eb_harm_probability": posterior.probability_at_most(-settings.harm_limit_pp),
        "prior_sd_pp": np.full(posterior.mean.size, prior_sd),
    }
