"""The harm rule: every comparison of a delta, or of its bounds, with the harm limit (tests/house/ holds it here).

A cell is harmed when its delta is at most minus the limit. With counts this is decided in integers: of n answers k were
gained (lost where negative), the limit is the fraction p / q, and 100 k q <= -p n. Without counts, round-off must not
decide: deltas within a tolerance of the limit count as at the limit.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

ROUNDING_PP = 1e-9
"""Tolerance for double-precision deltas: far above round-off, far below one item of a million."""
SINGLE_ROUNDING = 1e-6
"""Tolerance for single-precision deltas, relative to the limit."""


def exact_limit(limit_pp: float | Fraction) -> Fraction:
    """The limit (pp) as the decimal that was written: 0.1 means one tenth, not the nearest float."""
    return limit_pp if isinstance(limit_pp, Fraction) else Fraction(str(limit_pp))


def harmed(
    delta_pp: npt.ArrayLike,
    limit_pp: float | Fraction,
    *,
    gained: npt.ArrayLike | None = None,
    n_items: npt.ArrayLike | None = None,
    tolerance_pp: float | None = None,
) -> npt.NDArray[np.bool_]:
    """True where a delta is at most minus the limit; never where neither delta nor counts are known (NaN).

    Parameters
    ----------
    delta_pp : array_like
        Deltas in percentage points, any shape; used where there are no counts. float32 stays float32.
    limit_pp : float or Fraction
        The harm limit in percentage points, positive.
    gained, n_items : array_like, optional
        Right answers gained (negative: lost) and answers compared, shaped like ``delta_pp``; NaN where unknown. Where
        both are known they decide alone, exactly.
    tolerance_pp : float, optional
        How far above minus the limit a delta without counts still counts as harmed. Default: ``ROUNDING_PP``, for
        float32 ``SINGLE_ROUNDING`` times the limit. 0 compares raw floats, as the release did.

    Returns
    -------
    ndarray of bool
        Shaped like ``delta_pp``.
    """
    delta, limit = np.asarray(delta_pp), exact_limit(limit_pp)
    if tolerance_pp is None:
        tolerance_pp = SINGLE_ROUNDING * float(limit) if delta.dtype == np.float32 else ROUNDING_PP
    at_most = delta <= -float(limit) + tolerance_pp
    if gained is None or n_items is None:
        return np.asarray(at_most)
    k, n = np.asarray(gained, dtype=np.float64), np.asarray(n_items, dtype=np.float64)
    known = np.isfinite(k) & (n > 0)
    return np.where(known, k <= _most_gained(np.where(known, n, 1.0), limit), at_most)


def positive(
    delta_pp: npt.ArrayLike, *, gained: npt.ArrayLike | None = None, tolerance_pp: float | None = None
) -> npt.NDArray[np.bool_]:
    """True where a delta is above zero: by the counts where they are known, else by more than the tolerance.

    Parameters
    ----------
    delta_pp : array_like
        Deltas in percentage points, any shape.
    gained : array_like, optional
        Right answers gained, shaped like ``delta_pp``; NaN where unknown.
    tolerance_pp : float, optional
        Deltas without counts up to this are not positive. Default: ``ROUNDING_PP``.

    Returns
    -------
    ndarray of bool
        Shaped like ``delta_pp``.
    """
    above = np.asarray(delta_pp) > (ROUNDING_PP if tolerance_pp is None else tolerance_pp)
    if gained is None:
        return np.asarray(above)
    k = np.asarray(gained, dtype=np.float64)
    return np.where(np.isfinite(k), k > 0, above)


def _most_gained(n_items: npt.NDArray[np.float64], limit: Fraction) -> npt.NDArray[np.float64]:
    """The largest harmed gain for each number of items: the floor of -p n / (100 q), in Python's integers."""
    sizes, position = np.unique(n_items, return_inverse=True)
    most = [-limit.numerator * int(size) // (100 * limit.denominator) for size in sizes]
    return np.array(most, dtype=np.float64)[position].reshape(n_items.shape)


def verdicts(
    low_pp: npt.NDArray[np.float64],
    high_pp: npt.NDArray[np.float64],
    limit_pp: float,
    *,
    degenerate: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.str_]:
    """Non-inferiority at minus the limit, from one-sided bounds.

    Parameters
    ----------
    low_pp, high_pp : ndarray
        Lower and upper bounds of the deltas in percentage points, shape ``(n,)``.
    limit_pp : float
        The harm limit in percentage points, positive.
    degenerate : ndarray of bool, optional
        True where the baseline shows no skill, shape ``(n,)``: there is none to keep or to lose.

    Returns
    -------
    ndarray of str
        "safe" where the lower bound is above minus the limit, "harmed" where the upper bound is below it, else
        "undecided", also where a bound is NaN or the target is degenerate.
    """
    of_bounds = np.where(low_pp > -limit_pp, "safe", np.where(high_pp < -limit_pp, "harmed", "undecided"))
    return of_bounds if degenerate is None else np.where(degenerate, "undecided", of_bounds)


def limit_p_values(
    centre_pp: npt.NDArray[np.float64], se_pp: npt.NDArray[np.float64], limit_pp: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One-sided p-values at minus the limit: a normal bound passes the limit where its p-value is below its tail.

    Parameters
    ----------
    centre_pp, se_pp : ndarray
        Estimates and their standard errors in percentage points, shape ``(n,)``; an error of zero gives 0 or 1.
    limit_pp : float
        The harm limit in percentage points, positive.

    Returns
    -------
    harmed, safe : ndarray
        P-values of "delta at least minus the limit" (small: harmed) and of "delta at most minus the limit" (small:
        safe), shape ``(n,)``; NaN where an error is.
    """
    distance = centre_pp + limit_pp
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(distance == 0.0, 0.0 * se_pp, distance / se_pp)
    return ndtr(z), ndtr(-z)
