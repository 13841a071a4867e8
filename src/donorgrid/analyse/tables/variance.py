"""Where the variance of the deltas lies: mixed-effects fits per scope, with shares, intervals and diagnostics."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from donorgrid.analyse.reading.factors import CROSSED, FITS, Factors, factors_of, level_codes
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.analyse.tables.regimes import with_transfer
from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.core.regimes import TRANSFER, TRANSFER_REGIMES
from donorgrid.core.tables import EFFECTS, VARIANCE
from donorgrid.statistics.mixed_models.design import Design, make_design, moments
from donorgrid.statistics.mixed_models.predictions import predictions
from donorgrid.statistics.mixed_models.reml import MixedFit, fit
from donorgrid.statistics.mixed_models.shares import share_intervals, upper_share
from donorgrid.statistics.mixed_models.simulated import residual_degrees

SCOPES = (TRANSFER, *TRANSFER_REGIMES)
RESIDUAL = "residual"
Line = dict[str, object]


class _Job(NamedTuple):
    """One fit of the rows of one scope."""

    scope: str
    rows: pl.DataFrame
    fit: str


def variance_tables(
    cells: pl.DataFrame, settings: AnalysisSettings, *, fits: Collection[str] = tuple(FITS)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The variance components of each scope, and the effects of the crossed fit.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    settings : AnalysisSettings
        ``n_bootstrap``, ``n_rich_bootstrap``, ``confidence`` and ``seed``.
    fits : collection of str
        Keys of ``FITS``.

    Returns
    -------
    variance, effects : DataFrame
        VARIANCE and EFFECTS rows of one arm. A scope without rows has none; one that cannot be fitted says why.
    """
    jobs = [_Job(scope, rows, name) for scope, rows in _scopes(cells) for name in fits]
    generators = [np.random.default_rng([settings.seed, number]) for number in range(len(jobs))]
    done = [_run(job, rng, settings) for job, rng in zip(jobs, generators, strict=True)]
    variances = [line for lines, _ in done for line in lines]
    effects = [line for _, lines in done for line in lines]
    return (
        pl.DataFrame(variances, schema=VARIANCE.schema_without_arm()),
        pl.DataFrame(effects, schema=EFFECTS.schema_without_arm()),
    )


def _run(job: _Job, rng: np.random.Generator, settings: AnalysisSettings) -> tuple[list[Line], list[Line]]:
    factors = factors_of(job.rows, FITS[job.fit])
    try:
        design = make_design(factors.usable)
        fitted = fit(design, job.rows["delta_pp"].to_numpy())
    except InputError as error:
        lines, effects = _refused(factors, job.rows.height, str(error)), []
    else:
        lines = _estimated(job, factors, design, fitted, rng=rng, settings=settings)
        lines += _refused(factors, job.rows.height)
        effects = list(_effects(job.rows, design, fitted)) if job.fit == CROSSED else []
    order = (*FITS[job.fit], RESIDUAL)
    lines.sort(key=lambda line: order.index(str(line["component"])))
    of_job: Line = {"scope": job.scope, "fit": job.fit}
    return [of_job | line for line in lines], [{"scope": job.scope} | line for line in effects]


def _scopes(cells: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    rows = with_transfer(cells)
    for scope in SCOPES:
        part = rows.filter(pl.col("regime") == scope)
        if part.height:
            yield scope, part


def _estimated(
    job: _Job,
    factors: Factors,
    design: Design,
    fitted: MixedFit,
    *,
    rng: np.random.Generator,
    settings: AnalysisSettings,
) -> list[Line]:
    """A line per component of a fit; the residual is last."""
    n_refits = settings.n_bootstrap if job.fit == CROSSED else settings.n_rich_bootstrap
    ends = _intervals(design, fitted, job.rows, n_refits=n_refits, rng=rng, confidence=settings.confidence)
    of_fit: Line = {
        "criterion": fitted.criterion,
        "converged": fitted.converged,
        "evaluations": fitted.evaluations,
        "n_rows": job.rows.height,
        "n_refits": ends.n_refits,
        "intercept_pp": float(fitted.beta[0]),
        "intercept_se_pp": float(fitted.beta_se[0]),
    }
    names, variances = (*fitted.names, RESIDUAL), (*fitted.variances, fitted.residual)
    return [
        {
            "component": name,
            "variance": float(variance),
            "share": float(share),
            "share_low": low,
            "share_high": high,
            "n_levels": factors.n_levels.get(name),
            "status": "at zero" if name in fitted.at_zero else "estimated",
        }
        | of_fit
        for name, variance, share, low, high in zip(names, variances, fitted.shares, ends.low, ends.high, strict=True)
    ]


def _refused(factors: Factors, n_rows: int, reason: str = "") -> list[Line]:
    """Lines of the components that are not estimated: with ``reason``, all of them."""
    reasons = dict.fromkeys(factors.usable, f"not estimable: {reason}") if reason else {}
    return [
        {"component": name, "n_levels": factors.n_levels[name], "n_rows": n_rows, "status": why}
        for name, why in (reasons | factors.refused).items()
    ]


class _Ends(NamedTuple):
    """Both ends of each component's share (None where unknown), and the refits behind them."""

    low: list[float | None]
    high: list[float | None]
    n_refits: int


def _intervals(
    design: Design,
    fitted: MixedFit,
    rows: pl.DataFrame,
    *,
    n_refits: int,
    rng: np.random.Generator,
    confidence: float,
) -> _Ends:
    """Intervals from refits; the upper end of a component at zero is from its profile likelihood."""
    if n_refits < 2:
        unknown: list[float | None] = [None] * (len(fitted.names) + 1)
        return _Ends(unknown, unknown, 0)
    y = rows["delta_pp"].to_numpy()
    intervals = share_intervals(
        design,
        fitted,
        n_refits=n_refits,
        rng=rng,
        confidence=confidence,
        tail_degrees=residual_degrees(design, fitted, y, noise_variance=mean_noise_variance(rows)),
    )
    high = intervals.high.copy()
    for name in fitted.at_zero:
        response = moments(design, y - y.mean())
        high[fitted.names.index(name)] = upper_share(design, response, fitted, name, confidence=confidence)
    return _Ends(_nullable(intervals.low), _nullable(high), n_refits - intervals.n_failed)


def mean_noise_variance(rows: pl.DataFrame) -> float:
    """Mean squared item error (pp^2) of the rows; zero where they have none."""
    if "se_pp" not in rows.columns or rows["se_pp"].null_count() == rows.height:
        return 0.0
    return float(np.mean(rows["se_pp"].drop_nulls().to_numpy() ** 2))


def _nullable(values: Reals) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _effects(rows: pl.DataFrame, design: Design, fitted: MixedFit) -> Iterator[Line]:
    for component in fitted.names:
        columns = FITS[CROSSED][component]
        codes = level_codes(rows, columns)
        names = dict(zip(codes.tolist(), rows.select(pl.concat_str(columns, separator="/")).to_series(), strict=True))
        blup = predictions(design, fitted, component)
        for level, effect, se in zip(blup.levels, blup.effects, blup.se, strict=True):
            yield {"component": component, "level": names[int(level)], "effect_pp": float(effect), "se_pp": float(se)}


TABLES = (
    TableMaker(
        {"variance": VARIANCE, "effects": EFFECTS},
        lambda arm: variance_tables(arm.cells, arm.settings, fits=arm.fits),
        headline=True,
    ),
)
