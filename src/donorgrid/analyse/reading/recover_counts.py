"""Integer counts back from exact proportions: a score of k/N with N small is k right answers of N."""

import numpy as np
import numpy.typing as npt

MOST_ITEMS = 20_000
TOLERANCE = 1e-9
_PROBES = 12


def common_denominator(
    proportions: npt.NDArray[np.float64], *, multiple_of: int = 1, most: int = MOST_ITEMS
) -> int | None:
    """The smallest N such that every proportion is a multiple of 1/N.

    Parameters
    ----------
    proportions : ndarray
        Scores from 0 to 1, shape ``(n,)``.
    multiple_of, most : int
        N is a multiple of the first, and at most the second.

    Returns
    -------
    int or None
        None when there is no such N, or when it is just the power of ten to which the numbers were rounded:
        "0.351, 0.42" are three decimals, not evidence of 1,000 items.
    """
    values = np.unique(proportions)
    if values.size == 0 or not np.isfinite(values).all():
        return None
    candidates = np.arange(multiple_of, most + 1, multiple_of)
    candidates = candidates[_fits(values[:: max(1, values.size // _PROBES)], candidates)]
    for number in candidates:
        if _fits(values, np.array([number]))[0]:
            return None if number == 10 ** _decimals(values) else int(number)
    return None


def _fits(values: npt.NDArray[np.float64], candidates: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    products = values[:, None] * candidates
    return np.asarray((np.abs(products - np.round(products)) <= TOLERANCE * candidates).all(axis=0))


def _decimals(values: npt.NDArray[np.float64]) -> int:
    """Decimals that write every value exactly; 15 when nothing shorter does."""
    return next((decimals for decimals in range(15) if (np.round(values, decimals) == values).all()), 15)
