"""Empirical Bayes: what the cells' true deltas may be, given what a crossed model says of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from donorgrid.analyse.errors.shared_noise import NONE, SharedNoise
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.regimes import TRANSFER
from donorgrid.analyse.tables.variance import CROSSED, FITS, usable_factors
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER_REGIMES
from donorgrid.statistics.mixed_models.explained import Explained, explain
from donorgrid.statistics.posteriors import KnownErrors, truths
from donorgrid.statistics.shrinkage import Posterior

Reals = npt.NDArray[np.float64]
FEWEST_CELLS = 3
COLUMNS = ("eb_mean_pp", "eb_low_pp", "eb_high_pp", "eb_harm_probability", "prior_sd_pp")


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Cells with one prior: a regime, or all transfer regimes with a mean each."""

    name: str
    rows: pl.DataFrame
    model: Explained


def with_posteriors(cells: pl.DataFrame, shared: Mapping[str, SharedNoise], settings: AnalysisSettings) -> pl.DataFrame:
    """The cells with COLUMNS, in their order; empty where a cell's noise is not known or its regime has too few cells.

    ``shared`` is regime (or ``transfer``) -> its shared noise. The trained cells have a prior of their own. The
    transfer regimes have one together, with a mean each, or one each, whichever describes the deltas better.
    """
    numbered = cells.with_row_index("place")
    known = numbered.filter(pl.col("noise_se_pp").is_not_null())
    groups = [_group(known, TRAINED_CELL, (TRAINED_CELL,)), *_transfer(known)]
    found = [_posterior(group, shared.get(group.name, NONE), settings) for group in groups if group is not None]
    empty = pl.DataFrame(schema={"place": pl.UInt32, **dict.fromkeys(COLUMNS, pl.Float64)})
    both = numbered.join(pl.concat([empty, *found]), on="place", how="left", maintain_order="left")
    return both.drop("place")


def _group(known: pl.DataFrame, name: str, regimes: Sequence[str]) -> _Group | None:
    rows = known.filter(pl.col("regime").is_in(regimes))
    if rows.height < FEWEST_CELLS:
        return None
    present = [one for one in regimes if (rows["regime"] == one).any()]
    means = np.stack([(rows["regime"] == one).to_numpy() for one in present], axis=1).astype(np.float64)
    model = explain(usable_factors(rows, FITS[CROSSED]), rows["delta_pp"].to_numpy(), means)
    return None if model is None else _Group(name=name, rows=rows, model=model)


def _transfer(known: pl.DataFrame) -> list[_Group | None]:
    """One prior or one per regime, by Akaike's criterion on the restricted likelihood: the means are the same."""
    together = _group(known, TRANSFER, TRANSFER_REGIMES)
    present = [one for one in TRANSFER_REGIMES if (known["regime"] == one).any()]
    apart = [_group(known, one, (one,)) for one in present]
    whole, parts = _akaike([together]), _akaike(apart)
    return apart if whole is None or (parts is not None and parts < whole) else [together]


def _akaike(groups: Sequence[_Group | None]) -> float | None:
    """-2 log likelihood plus twice the variances (Akaike 1974); None where a group's likelihood is not defined."""
    total = 0.0
    for group in groups:
        if group is None or group.model.criterion is None:
            return None
        total += group.model.criterion + 2.0 * (len(group.model.variances) + 1)
    return total


def _posterior(group: _Group, shared: SharedNoise, settings: AnalysisSettings) -> pl.DataFrame:
    delta = group.rows["delta_pp"].to_numpy()
    found, variance = truths(group.model, delta, _errors(group, shared))
    return group.rows.select("place").with_columns(
        pl.Series(name, values) for name, values in _columns(found, float(np.sqrt(variance)), settings).items()
    )


def _errors(group: _Group, shared: SharedNoise) -> KnownErrors:
    """The cells' noise in its parts. Noisy cells share more: each part is the same share of every cell's noise."""
    noise = group.rows["noise_se_pp"].to_numpy() ** 2
    mean = float(noise.mean())
    if mean == 0.0:
        return KnownErrors(own=noise, common=noise, of_factor={})
    of_factor = {name: shared.of_factor.get(name, 0.0) / mean for name in group.model.variances}
    common = shared.common / mean
    own = max(0.0, 1.0 - common - sum(of_factor.values()))
    return KnownErrors(
        own=own * noise,
        common=common * noise,
        of_factor={name: share * noise for name, share in of_factor.items()},
        of_beta=shared.of_means,
    )


def _columns(found: Posterior, prior_sd: float, settings: AnalysisSettings) -> dict[str, Reals]:
    half = float(ndtri((1.0 + settings.confidence) / 2.0)) * found.sd
    return {
        "eb_mean_pp": found.mean,
        "eb_low_pp": found.mean - half,
        "eb_high_pp": found.mean + half,
        "eb_harm_probability": found.probability_at_most(-settings.harm_limit_pp),
        "prior_sd_pp": np.full(found.mean.size, prior_sd),
    }
