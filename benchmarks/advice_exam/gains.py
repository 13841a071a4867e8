"""What the chosen sources really gave, read from a replicate that the rule was not shown."""

from collections.abc import Sequence

import numpy as np


def chosen_for_each_target(point: np.ndarray, hidden: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """The hidden delta of each target's best-predicted source; ties share.

    Parameters
    ----------
    point : ndarray
        Predicted deltas, shape ``(n_sources, n_targets)``.
    hidden : ndarray
        The replicate, same shape.
    sources : ndarray of bool
        Options of each target, same shape.

    Returns
    -------
    ndarray
        In pp, shape ``(n_targets,)``.
    """
    offered = np.where(sources, point, -np.inf)
    best = offered >= offered.max(axis=0) - 1e-12
    return (best * np.where(sources, hidden, 0.0)).sum(axis=0) / best.sum(axis=0)


def chosen_for_all(point: np.ndarray, hidden: np.ndarray, sources: np.ndarray) -> float:
    """The hidden mean delta of the source with the best predicted mean over its targets."""
    means = _mean_over_targets(point, sources)
    best = means >= means.max() - 1e-12
    return float(_mean_over_targets(hidden, sources)[best].mean())


def random_choice(hidden: np.ndarray, sources: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean over all options: by target, and of one source for all."""
    by_target = np.where(sources, hidden, 0.0).sum(axis=0) / sources.sum(axis=0)
    return by_target, float(_mean_over_targets(hidden, sources).mean())


def share_of_best(chosen: Sequence[float], random: Sequence[float], best: Sequence[float]) -> float | None:
    """(chosen - random) / (best - random) of the means over draws; None where the best is no better than random."""
    room = float(np.mean(best) - np.mean(random))
    return None if room <= 0 else float((np.mean(chosen) - np.mean(random)) / room)


def _mean_over_targets(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask, values, 0.0).sum(axis=1) / mask.sum(axis=1)
