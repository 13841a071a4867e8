"""The Pareto front of points on two axes."""

import numpy as np

from donorgrid.core.arrays import Flags, Reals


def on_front(x: Reals, y: Reals) -> Flags:
    """True for the points that no other point beats: at least as large on both axes and larger on one.

    Parameters
    ----------
    x, y : ndarray
        Coordinates, larger is better, shape ``(n_points,)``.

    Returns
    -------
    ndarray of bool
        Shape ``(n_points,)``.
    """
    at_least = (x[:, None] <= x) & (y[:, None] <= y)
    larger = (x[:, None] < x) | (y[:, None] < y)
    return np.asarray(~(at_least & larger).any(axis=1))
