"""Random effects of unit variance."""

import numpy as np

from donorgrid.core.arrays import Reals


def unit_effects(shape: int | tuple[int, ...], tail_degrees: float | None, rng: np.random.Generator) -> Reals:
    """Effects of mean 0 and variance 1, normal or heavy-tailed.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the draws.
    tail_degrees : float or None
        Degrees of freedom of Student's t (above 2), scaled to variance 1; None draws normal effects.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray
        Of the given shape.
    """
    if tail_degrees is None:
        return np.asarray(rng.standard_normal(shape))
    return np.asarray(rng.standard_t(tail_degrees, size=shape) * np.sqrt((tail_degrees - 2.0) / tail_degrees))
