"""Where the variance of the deltas lies: mixed-effects fits per scope, with shares, intervals and diagnostics."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.regimes import TRANSFER, with_transfer
from donorgrid.core.errors import InputError
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import EFFECTS, VARIANCE
from donorgrid.statistics.mixed_models.design import Design, make_design, moments
from donorgrid.statistics.mixed_models.reml import MixedFit, fit, predictions
from donorgrid.statistics.mixed_models.shares import residual_degrees, share_intervals, upper_share

SCOPES = (TRANSFER, *TRANSFER_REGIMES)
SOURCE, TARGET = ("source_task", "source_language"), ("target_task", "target_language")
CROSSED = "crossed"
FITS: dict[str, dict[str, tuple[str, ...]]] = {
    CROSSED: {"model": ("model",), "source": SOURCE, "target": TARGET},
    "crossed+interactions": {
        "model": ("model",),
        "source": SOURCE,
        "target": TARGET,
        "model:source": ("model", *SOURCE),
        "model:target": ("model", *TARGET),
    },
    "task+language": {
        "model": ("model",),
        "source_task": SOURCE[:1],
        "source_language": SOURCE[1:],
        "source_task:source_language": SOURCE,
        "target_task": TARGET[:1],
        "target_language": TARGET[1:],
        "target_task:target_language": TARGET,
    },
    "release-compatible": {
        "model": ("model",),
        "model:source": ("model", *SOURCE),
        "model:target": ("model", *TARGET),
    },
}
"""Fit -> component -> the columns whose combinations are its levels."""
QUICK_FITS = (CROSSED, "task+language")
"""The fits without interactions of models: their cost does not grow with models x cells."""
RESIDUAL = "residual"
Line = dict[str, object]
_WHOLE, _ZERO = "estimated", "at zero"


@dataclass(frozen=True, kw_only=True)
class _Factors:
    """The factors of one fit that can be estimated, and why the others cannot."""

    usable: dict[str, npt.NDArray[np.int64]]
    levels: dict[str, int]
    refused: dict[str, str]


def variance_tables(
    cells: pl.DataFrame, settings: AnalysisSettings, *, fits: Collection[str] = tuple(FITS)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(VARIANCE, EFFECTS) rows of one arm. A scope without rows has none; one that cannot be fitted says why."""
    jobs = [(scope, rows, name) for scope, rows in _scopes(cells) for name in fits]
    seeds = [np.random.default_rng([settings.seed, place]) for place in range(len(jobs))]
    done = [_one_job(job, rng, settings) for job, rng in zip(jobs, seeds, strict=True)]
    variances = [line for lines, _ in done for line in lines]
    effects = [line for _, lines in done for line in lines]
    return (
        pl.DataFrame(variances, schema=VARIANCE.schema_without_arm()),
        pl.DataFrame(effects, schema=EFFECTS.schema_without_arm()),
    )


def _one_job(
    job: tuple[str, pl.DataFrame, str], rng: np.random.Generator, settings: AnalysisSettings
) -> tuple[list[Line], list[Line]]:
    scope, rows, name = job
    factors = _factors(rows, FITS[name])
    found, design, lines = _fit_one(rows, factors, n_refits=_refits(name, settings), rng=rng, settings=settings)
    effects = _effects(rows, design, found) if name == CROSSED and found is not None and design is not None else ()
    order = (*FITS[name], RESIDUAL)
    lines.sort(key=lambda line: order.index(str(line["component"])))
    return [{"scope": scope, "fit": name, **line} for line in lines], [{"scope": scope, **line} for line in effects]


def _scopes(cells: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    rows = with_transfer(cells)
    for scope in SCOPES:
        part = rows.filter(pl.col("regime") == scope)
        if part.height:
            yield scope, part


def _refits(name: str, settings: AnalysisSettings) -> int:
    return settings.n_bootstrap if name == CROSSED else settings.n_rich_bootstrap


def level_codes(rows: pl.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Codes (n,) of the levels that the columns' combinations make, in sorted order of their text."""
    text = rows.select(pl.concat_str(columns, separator="/"))
    return text.to_series().rank("dense").to_numpy().astype(np.int64) - 1


def _factors(rows: pl.DataFrame, components: Mapping[str, tuple[str, ...]]) -> _Factors:
    usable: dict[str, npt.NDArray[np.int64]] = {}
    levels, refused = {}, {}
    for name, columns in components.items():
        codes = level_codes(rows, columns)
        levels[name] = int(codes.max()) + 1
        twin = next(
            (other for other, own in usable.items() if levels[other] == levels[name] and _same(own, codes)), None
        )
        if levels[name] < 2:
            refused[name] = "not estimable: one level"
        elif levels[name] == rows.height:
            refused[name] = "not estimable: one row per level"
        elif twin:
            refused[name] = f"not estimable: the same as {twin}"
        else:
            usable[name] = codes
    return _Factors(usable=usable, levels=levels, refused=refused)


def usable_factors(rows: pl.DataFrame, components: Mapping[str, tuple[str, ...]]) -> dict[str, npt.NDArray[np.int64]]:
    """Level codes (n,) of the components that the rows can tell apart."""
    return _factors(rows, components).usable


def _same(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> bool:
    """Whether two codings with equally many levels split the rows alike."""
    return bool(len(np.unique(a * (b.max() + 1) + b)) == a.max() + 1)


def _fit_one(
    rows: pl.DataFrame, factors: _Factors, *, n_refits: int, rng: np.random.Generator, settings: AnalysisSettings
) -> tuple[MixedFit | None, Design | None, list[Line]]:
    try:
        design = make_design(factors.usable)
        found = fit(design, rows["delta_pp"].to_numpy())
    except InputError as error:
        return None, None, _refused(factors, rows.height, str(error))
    low, high, done = _intervals(design, found, rows, n_refits=n_refits, rng=rng, confidence=settings.confidence)
    about_fit = {
        "criterion": found.criterion,
        "converged": found.converged,
        "evaluations": found.evaluations,
        "n_rows": rows.height,
        "n_refits": done,
        "intercept_pp": float(found.beta[0]),
        "intercept_se_pp": float(found.beta_se[0]),
    }
    lines = [line | about_fit for line in _components(found, factors, low, high)]
    return found, design, lines + _refused(factors, rows.height)


def _components(
    found: MixedFit, factors: _Factors, low: list[float | None], high: list[float | None]
) -> Iterator[Line]:
    """What is said of each component of a fit; the residual stands last."""
    names, variances = (*found.names, RESIDUAL), (*found.variances, found.residual)
    for place, (name, variance, share) in enumerate(zip(names, variances, found.shares, strict=True)):
        yield {
            "component": name,
            "variance": float(variance),
            "share": float(share),
            "share_low": low[place],
            "share_high": high[place],
            "n_levels": factors.levels.get(name),
            "status": _ZERO if name in found.at_zero else _WHOLE,
        }


def _refused(factors: _Factors, n_rows: int, reason: str = "") -> list[Line]:
    """Lines of the components that are not estimated; with ``reason`` none is."""
    reasons = dict.fromkeys(factors.usable, f"not estimable: {reason}") if reason else {}
    return [
        {"component": name, "n_levels": factors.levels[name], "n_rows": n_rows, "status": why}
        for name, why in (reasons | factors.refused).items()
    ]


def _intervals(
    design: Design,
    found: MixedFit,
    rows: pl.DataFrame,
    *,
    n_refits: int,
    rng: np.random.Generator,
    confidence: float,
) -> tuple[list[float | None], list[float | None], int]:
    """(low, high, refits done) of each component's share; the upper end of one at zero is from its profile."""
    y = rows["delta_pp"].to_numpy()
    none: list[float | None] = [None] * (len(found.names) + 1)
    if n_refits < 2:
        return none, none, 0
    made = share_intervals(
        design,
        found,
        n_refits=n_refits,
        rng=rng,
        confidence=confidence,
        tail_degrees=residual_degrees(design, found, y, noise_variance=mean_noise_variance(rows)),
    )
    high = made.high.copy()
    for name in found.at_zero:
        response = moments(design, y - y.mean())
        high[found.names.index(name)] = upper_share(design, response, found, name, confidence=confidence)
    return _nullable(made.low), _nullable(high), n_refits - made.n_failed


def mean_noise_variance(rows: pl.DataFrame) -> float:
    """Mean squared item error (pp^2) of the rows; zero where they have none."""
    if "se_pp" not in rows.columns or rows["se_pp"].null_count() == rows.height:
        return 0.0
    return float(np.mean(rows["se_pp"].drop_nulls().to_numpy() ** 2))


def _nullable(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def _effects(rows: pl.DataFrame, design: Design, found: MixedFit) -> Iterator[Line]:
    for component in found.names:
        columns = FITS[CROSSED][component]
        codes = level_codes(rows, columns)
        names = dict(zip(codes.tolist(), rows.select(pl.concat_str(columns, separator="/")).to_series(), strict=True))
        blup = predictions(design, found, component)
        for level, effect, se in zip(blup.levels, blup.effects, blup.se, strict=True):
            yield {"component": component, "level": names[int(level)], "effect_pp": float(effect), "se_pp": float(se)}
