"""The consistency index: do models, families or sizes agree on whom a source helps? (arXiv 2511.13368)"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.arrays import Reals, Singles
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import CONSISTENCY
from donorgrid.statistics.errors.intervals import median_interval
from donorgrid.statistics.harm import ROUNDING_PP
from donorgrid.statistics.rankings.kendall import dense_ranks, permuted_medians, tau_b

LEVELS = {"model": "model", "family": "family", "size": "size_b"}
"""Level -> the column whose values are its raters; deltas are averaged over the models of a rater."""
_ROUND_OFF = 1e-12


@dataclass(frozen=True, kw_only=True)
class _Scored:
    """The mean tau of each source, how many pairs of raters had one and how many had not, and the ranks themselves."""

    mean_tau: Reals
    n_pairs: int
    n_undefined: int
    ranks: list[Singles]


def consistency_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """CONSISTENCY rows of one arm: per level and regime the median and quartiles over sources.

    The null draws permute the recipients of each rater; the interval lies between two order statistics of the sources.

    Parameters
    ----------
    cells : DataFrame
        Rows of plain cells.
    settings : AnalysisSettings
        ``n_permutations``, ``confidence`` and ``seed``.

    Returns
    -------
    DataFrame
        No row for a level with fewer than two raters, or a regime where no source has a defined tau.
    """
    rows = []
    for number, (level, column) in enumerate(LEVELS.items()):
        known = cells.filter(pl.col(column).is_not_null()) if column in cells.columns else cells.clear()
        n_raters = known[column].n_unique() if known.height else 0
        if n_raters < 2:
            continue
        for regime in TRANSFER_REGIMES:
            rng = np.random.default_rng([settings.seed, number, TRANSFER_REGIMES.index(regime)])
            scored = _score(known.filter(pl.col("regime") == regime), column)
            if scored.mean_tau.size:
                rows.append({"level": level, "regime": regime, "n_raters": n_raters, **_row(scored, rng, settings)})
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
    low, high = median_interval(scored.mean_tau, settings.confidence)
    null = permuted_medians(scored.ranks, settings.n_permutations, rng)
    extreme = int((null >= median - _ROUND_OFF).sum())
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


TABLES = (
    TableMaker({"consistency": CONSISTENCY}, lambda arm: (consistency_table(arm.cells, arm.settings),), headline=True),
)
