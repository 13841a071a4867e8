"""The consistency index: do models, families or sizes agree on whom a source helps? (arXiv 2511.13368)"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import CONSISTENCY
from donorgrid.statistics.harm import ROUNDING_PP
from donorgrid.statistics.kendall import Ranks, dense_ranks, mean_over_pairs, shuffled, tau_b

LEVELS = {"model": "model", "family": "family", "size": "size_b"}
"""Level -> the column whose values are its raters; deltas are averaged over the models of a rater."""
_CHUNK = 100

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Scored:
    """Per source: the mean tau, how many pairs of raters had one, how many had not; and the ranks themselves."""

    mean_tau: Reals
    n_pairs: int
    n_undefined: int
    ranks: list[Ranks]


def consistency_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """CONSISTENCY rows of one arm: per level and regime the median and quartiles over sources.

    The null draws permute each rater's recipients; the interval resamples sources. A level with fewer than two raters,
    and a regime where no source has a defined tau, have no row.
    """
    rows = []
    for place, (level, column) in enumerate(LEVELS.items()):
        known = cells.filter(pl.col(column).is_not_null()) if column in cells.columns else cells.clear()
        if not known.height or known[column].n_unique() < 2:
            continue
        for regime in TRANSFER_REGIMES:
            rng = np.random.default_rng([settings.seed, place, TRANSFER_REGIMES.index(regime)])
            scored = _score(known.filter(pl.col("regime") == regime), column)
            if scored.mean_tau.size:
                rows.append(
                    {
                        "level": level,
                        "regime": regime,
                        "n_raters": known[column].n_unique(),
                        **_row(scored, rng, settings),
                    }
                )
    return pl.DataFrame(rows, schema=CONSISTENCY.schema_without_arm())


def _score(rows: pl.DataFrame, column: str) -> _Scored:
    taus, n_pairs, n_undefined, kept = [], 0, 0, []
    for part in rows.partition_by("source_task", "source_language"):
        ranks = dense_ranks(_scores_of(part, column), equal_within=ROUNDING_PP)
        tau = tau_b(ranks)[np.triu_indices(len(ranks), k=1)]
        n_pairs += int((~np.isnan(tau)).sum())
        n_undefined += int(np.isnan(tau).sum())
        if not np.isnan(tau).all():
            taus.append(float(np.nanmean(tau)))
            kept.append(ranks)
    return _Scored(mean_tau=np.array(taus), n_pairs=n_pairs, n_undefined=n_undefined, ranks=kept)


def _scores_of(part: pl.DataFrame, column: str) -> Reals:
    """(raters, recipients): mean deltas of one source, NaN where a rater lacks a recipient."""
    target = pl.concat_str("target_task", "target_language", separator="/")
    codes = part.select(rater=pl.col(column).rank("dense") - 1, recipient=target.rank("dense") - 1)
    rater, recipient = (codes[name].to_numpy().astype(np.intp) for name in ("rater", "recipient"))
    shape = (rater.max() + 1, recipient.max() + 1)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rater, recipient), part["delta_pp"].to_numpy())
    np.add.at(count, (rater, recipient), 1.0)
    return np.where(count > 0, total / np.maximum(count, 1.0), np.nan)


def _row(scored: _Scored, rng: np.random.Generator, settings: AnalysisSettings) -> dict[str, object]:
    q1, median, q3 = (float(value) for value in np.quantile(scored.mean_tau, [0.25, 0.5, 0.75]))
    low, high = _interval(scored.mean_tau, rng, settings)
    null = _null_medians(scored.ranks, settings.n_permutations, rng)
    extreme = int((null >= median - 1e-12).sum())
    return {
        "median": median,
        "q1": q1,
        "q3": q3,
        "n_sources": scored.mean_tau.size,
        "median_low": low,
        "median_high": high,
        "null_median": float(np.mean(null)) if null.size else None,
        "null_high": float(np.quantile(null, settings.confidence)) if null.size else None,
        "p_value": (1 + extreme) / (1 + null.size) if null.size else None,
        "n_pairs": scored.n_pairs,
        "n_undefined": scored.n_undefined,
    }


def _interval(
    mean_tau: Reals, rng: np.random.Generator, settings: AnalysisSettings
) -> tuple[float | None, float | None]:
    if mean_tau.size < 2 or settings.n_bootstrap < 2:
        return None, None
    picks = rng.integers(mean_tau.size, size=(settings.n_bootstrap, mean_tau.size))
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(np.median(mean_tau[picks], axis=1), [tail, 1 - tail])
    return float(low), float(high)


def _null_medians(ranks: list[Ranks], n_draws: int, rng: np.random.Generator) -> Reals:
    """Medians over sources when every rater ranks recipients at random, (n_draws,)."""
    medians = []
    for start in range(0, n_draws, _CHUNK):
        n_chunk = min(_CHUNK, n_draws - start)
        per_source = [mean_over_pairs(tau_b(shuffled(one, n_chunk, rng))) for one in ranks]
        medians.append(np.nanmedian(np.stack(per_source), axis=0))
    return np.concatenate(medians) if medians else np.empty(0)
