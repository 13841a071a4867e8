"""Ranks with ties averaged, for rank correlations."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def average_ranks(values: Reals) -> Reals:
    """Ranks 1, 2, ... of ``values`` (..., n) along the last axis; ties share their mean, a row with a NaN is all NaN.

    As ``scipy.stats.rankdata``, whose package takes half a second to load.
    """
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    places = np.broadcast_to(np.arange(values.shape[-1]), values.shape)
    differ = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*values.shape[:-1], 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, differ], axis=-1), places, 0), axis=-1)
    ends = np.where(np.concatenate([differ, edge], axis=-1), places, values.shape[-1])
    last = np.flip(np.minimum.accumulate(np.flip(ends, axis=-1), axis=-1), axis=-1)
    ranks = np.empty(values.shape, dtype=np.float64)
    np.put_along_axis(ranks, order, (first + last) / 2.0 + 1.0, axis=-1)
    return np.where(np.isnan(values).any(axis=-1, keepdims=True), np.nan, ranks)
