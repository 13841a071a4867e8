"""How often a cell seems harmed when nothing had any effect."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

Reals = npt.NDArray[np.float64]
_ROUND_OFF = 1e-9


def harm_without_effect(null_se_pp: Reals, half_step_pp: Reals, limit_pp: float) -> Reals:
    """The probability that a delta without true effect is at or below minus the limit, cell by cell.

    ``null_se_pp`` (n,): the standard error without effect; zero gives 0, NaN gives NaN. ``half_step_pp`` (n,): half of
    what one answer moves a delta by, zero where that is not known. A delta can only lie on multiples of the step, so
    the limit moves down to the nearest of them, and the normal distribution is read half a step above that (continuity
    correction).
    """
    step = 2.0 * np.where(half_step_pp > 0, half_step_pp, 1.0)
    on_lattice = np.ceil(limit_pp / step - _ROUND_OFF) * step
    edge = np.where(half_step_pp > 0, half_step_pp - on_lattice, -limit_pp)
    known = np.where(null_se_pp > 0, null_se_pp, 1.0)
    return np.where(np.isnan(null_se_pp), np.nan, np.where(null_se_pp > 0, ndtr(edge / known), 0.0))
