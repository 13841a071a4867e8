"""Does a matrix between languages go with a distance between them? Languages are permuted, not pairs (Mantel 1967)."""

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np

from donorgrid.core.arrays import Ints, Reals
from donorgrid.statistics.rankings.ranks import average_ranks

FEWEST_LANGUAGES = 4


@dataclass(frozen=True, kw_only=True)
class MantelTest:
    """A correlation over the ordered pairs of languages, with its two-sided p-value and how many permutations it took.

    ``exact``: every permutation was tried. NaN where either side does not vary.
    """

    r: float
    p_value: float
    n_pairs: int
    n_permutations: int
    exact: bool


def mantel(
    transfer: Reals, distance: Reals, *, n_permutations: int, rng: np.random.Generator, ranks: bool = False
) -> MantelTest:
    """Correlate transfer between languages with a distance, off the diagonal.

    Under no relation the names of the languages mean nothing: rows and
    columns of the distance are permuted together, and p = (1 + draws with |r*| >= |r|) / (1 + draws), or the share of
    all permutations where there are no more than ``n_permutations`` of them.

    Parameters
    ----------
    transfer : ndarray
        Rows sources, columns targets, shape ``(k, k)``; NaN is a hole.
    distance : ndarray
        Symmetric, without holes, shape ``(k, k)``.
    n_permutations : int
        The most permutations to try.
    rng : numpy.random.Generator
        Source of the permutations.
    ranks : bool
        True: Spearman's correlation. False: Pearson's.

    Returns
    -------
    MantelTest
    """
    used = ~np.isnan(transfer) & ~np.eye(len(transfer), dtype=bool)
    orders, exact = _orders(len(transfer), n_permutations, rng)
    y = _standardised(transfer[used][None], ranks)[0]
    x = _standardised(distance[used][None], ranks)[0]
    r = float(x @ y) if used.any() else float("nan")
    if np.isnan(r):
        return MantelTest(r=r, p_value=r, n_pairs=int(used.sum()), n_permutations=0, exact=exact)
    permuted = distance[orders[:, :, None], orders[:, None, :]][:, used]
    # A permutation that leaves nothing to vary among the pairs that are there has no correlation: it counts as zero.
    drawn = np.nan_to_num(_standardised(permuted, ranks) @ y)
    extreme = int((np.abs(drawn) >= abs(r) - 1e-12).sum())
    p = extreme / len(orders) if exact else (1 + extreme) / (1 + len(orders))
    known = p if len(orders) else float("nan")
    return MantelTest(r=r, p_value=known, n_pairs=int(used.sum()), n_permutations=len(orders), exact=exact)


def _orders(k: int, n: int, rng: np.random.Generator) -> tuple[Ints, bool]:
    """All permutations of k languages, the identity among them, where there are at most n; else n random ones."""
    if factorial(min(k, 12)) <= n:
        return np.array(list(permutations(range(k))), dtype=np.int64), True
    return rng.permuted(np.tile(np.arange(k), (n, 1)), axis=1), False


def _standardised(values: Reals, ranks: bool) -> Reals:
    """Rows (n, pairs) centred and of length one, so that products are correlations; NaN where a row does not vary."""
    chosen = average_ranks(values) if ranks and values.size else values
    centred = chosen - chosen.mean(axis=1, keepdims=True) if values.size else chosen
    length = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.ptp(values, axis=1, keepdims=True) > 0, centred / length, np.nan) if values.size else chosen
