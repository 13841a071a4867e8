"""Scores of a predictive distribution on the cells of one fold."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from advice_exam.predictive import Predictive
from donorgrid.statistics.harm import harmed

LIMIT_PP = 1.0
TAIL = 0.05
_N_BINS = 10


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """Means over the cells of one fold; ``harm``: probabilities and outcomes of its cells."""

    within: float
    overall: float
    between: float
    log_score: float
    interval_score90: float
    width90: float
    inside: np.ndarray
    harm_probability: np.ndarray
    harmed: np.ndarray


def score_fold(predictive: Predictive, truth: np.ndarray, is_transfer: np.ndarray, half_step_pp: float) -> FoldScore:
    """Score one fold.

    Parameters
    ----------
    predictive : Predictive
        Of the fold's rows.
    truth : ndarray
        What was measured, in pp, shape ``(n_rows, n_targets)``.
    is_transfer : ndarray of bool
        False for trained cells, which are left out; same shape.
    half_step_pp : float
        Half the distance of two deltas that can be measured: the limit counts as harm.

    Returns
    -------
    FoldScore
        ``inside`` is NaN for trained cells, shaped like ``truth``.
    """
    point = predictive.point()
    low, high = predictive.quantile(TAIL), predictive.quantile(1 - TAIL)
    outside = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    cells = is_transfer
    return FoldScore(
        within=within_targets(point, truth, is_transfer),
        overall=_spearman(point[cells], truth[cells]),
        between=_spearman(_masked_mean(point, cells), _masked_mean(truth, cells)),
        log_score=float(predictive.log_density(truth)[cells].mean()),
        interval_score90=float((high - low + 2 / (2 * TAIL) * outside)[cells].mean()),
        width90=float((high - low)[cells].mean()),
        inside=np.where(cells, (truth >= low) & (truth <= high), np.nan),
        harm_probability=predictive.below(np.full_like(truth, -LIMIT_PP + half_step_pp))[cells],
        harmed=harmed(truth, LIMIT_PP)[cells],
    )


def within_targets(point: np.ndarray, truth: np.ndarray, is_transfer: np.ndarray) -> float:
    """Mean over targets of Spearman's correlation over sources; 0 where a rule ranks all sources alike."""
    values = []
    for target in range(truth.shape[1]):
        sources = is_transfer[:, target]
        values.append(_spearman(point[sources, target], truth[sources, target]))
    return float(np.mean(values))


def calibration_error(probability: np.ndarray, outcome: np.ndarray) -> float:
    """Mean distance of probability and frequency over 10 bins of equal mass."""
    order = np.argsort(probability, kind="stable")
    bins = np.array_split(order, _N_BINS)
    distances = [abs(probability[part].mean() - outcome[part].mean()) * len(part) for part in bins]
    return float(sum(distances) / len(order))


def brier(probability: np.ndarray, outcome: np.ndarray) -> float:
    return float(((probability - outcome) ** 2).mean())


def _masked_mean(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask, values, 0.0).sum(axis=0) / mask.sum(axis=0)


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    a, b = rankdata(first), rankdata(second)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
