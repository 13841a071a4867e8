"""What is to be expected when nothing had any effect: the test of no effect, and how often a cell seems harmed."""

import numpy as np
from scipy.special import ndtr

from donorgrid.core.arrays import Reals

_ROUND_OFF = 1e-9


def no_effect_p_values(delta_pp: Reals, null_se_pp: Reals) -> tuple[Reals, Reals]:
    """One-sided p-values of no effect, z = delta / null standard error.

    Parameters
    ----------
    delta_pp, null_se_pp : ndarray
        Deltas and their standard errors without effect, percentage points, shape ``(n,)``. An error of zero gives
        p = 0.5, NaN gives NaN.

    Returns
    -------
    harm, help : ndarray
        P-values of a decrease and of an increase, shape ``(n,)``.
    """
    known = null_se_pp > 0
    unknown = np.where(np.isnan(null_se_pp), np.nan, 0.0)
    z = np.where(known, delta_pp / np.where(known, null_se_pp, 1.0), unknown)
    return ndtr(z), ndtr(-z)


def harm_without_effect(null_se_pp: Reals, half_step_pp: Reals, limit_pp: float) -> Reals:
    """The probability that a delta without true effect is at or below minus the limit.

    A delta can only lie on multiples of the step, so the limit moves down to the nearest of them, and the normal
    distribution is read half a step above that (continuity correction).

    Parameters
    ----------
    null_se_pp : ndarray
        Standard error without effect, percentage points, shape ``(n,)``; zero gives 0, NaN gives NaN.
    half_step_pp : ndarray
        Half of what one answer changes a delta by, shape ``(n,)``; zero where it is not known.
    limit_pp : float
        Harm limit in percentage points, positive.

    Returns
    -------
    ndarray
        Probabilities, shape ``(n,)``.
    """
    step = 2.0 * np.where(half_step_pp > 0, half_step_pp, 1.0)
    on_lattice = np.ceil(limit_pp / step - _ROUND_OFF) * step
    edge = np.where(half_step_pp > 0, half_step_pp - on_lattice, -limit_pp)
    known = np.where(null_se_pp > 0, null_se_pp, 1.0)
    return np.where(np.isnan(null_se_pp), np.nan, np.where(null_se_pp > 0, ndtr(edge / known), 0.0))
