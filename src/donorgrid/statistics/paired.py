"""Paired differences of item answers: intervals that survive few flips, and joint verdicts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Reals = npt.NDArray[np.float64]
Verdict = Literal["safe", "harmed", "undecided"]
PSEUDO_ITEMS = 2.0
"""One made-up item gained and one lost: without them a cell with no flips would have no uncertainty."""


@dataclass(frozen=True, kw_only=True)
class PairedBounds:
    """Adjusted estimate and its standard error (n,), both in pp, from which bounds and verdicts are taken."""

    centre_pp: Reals
    se_pp: Reals

    def bounds(self, tail: float) -> tuple[Reals, Reals]:
        """Lower and upper bounds, each passed by the truth with probability ``tail``."""
        half = float(ndtri(1.0 - tail)) * self.se_pp
        return self.centre_pp - half, self.centre_pp + half


def paired_bounds(
    delta_pp: Reals,
    se_pp: Reals,
    n_items: Reals,
    *,
    n_seeds: Reals | float = 1.0,
    extra_variance: Reals | float = 0.0,
) -> PairedBounds:
    """Adjusted paired estimates: one pseudo-item gained and one lost are added to ``n_items`` items.

    For one seed this is the interval of Bonett & Price (2012, J. Educ. Behav. Stat. 37(4)) for two paired proportions:
    (b - c) / (n + 2) with variance ((b + c + 2) / (n + 2) - estimate^2) / (n + 2). For S seeds b - c becomes the sum of
    the items' mean differences and the pseudo-items weigh 2 / S: they flip as one seed in S does. ``se_pp`` is the
    plain standard error over items, ``n_items`` the items (not times seeds), ``extra_variance`` (pp^2) what items do
    not carry, such as the spread between training runs.
    """
    n = np.asarray(n_items, dtype=np.float64)
    share, se = delta_pp / 100.0, se_pp / 100.0
    squares = se**2 * n * np.maximum(n - 1.0, 0.0) + n * share**2
    larger = n + PSEUDO_ITEMS
    centre = share * n / larger
    variance = ((squares + PSEUDO_ITEMS / n_seeds) / larger - centre**2) / larger
    return PairedBounds(centre_pp=100.0 * centre, se_pp=np.sqrt(1e4 * np.maximum(variance, 0.0) + extra_variance))


def null_se_pp(delta_pp: Reals, se_pp: Reals, n_items: Reals) -> Reals:
    """The standard error (pp) if gains and losses were equally likely: sqrt(sum d^2) / n, the sign-flip scale."""
    n = np.maximum(np.asarray(n_items, dtype=np.float64), 1.0)
    return np.sqrt(se_pp**2 * np.maximum(n - 1.0, 0.0) / n + delta_pp**2 / n)


def joint_verdict(members: npt.NDArray[np.str_]) -> Verdict:
    """The verdict on a set by intersection-union: safe only if every member is (which needs no correction).

    Harmed if any member is, else undecided (Berger 1982, Technometrics 24(4)).
    """
    if (members == "safe").all():
        return "safe"
    return "harmed" if (members == "harmed").any() else "undecided"


def items_to_decide(sd: Reals, distance_pp: Reals, *, tail: float = 0.05, power: float = 0.8) -> Reals:
    """Items n so that a one-sided test at ``tail`` decides with ``power``: n = ((z + z') 100 sd / distance)^2.

    ``sd`` is the standard deviation of one item's (mean) difference as a share, ``distance_pp`` from the true delta to
    minus the limit. With 4% flips and 1 pp that is about 2,500. NaN where the distance is zero.
    """
    z = float(ndtri(1.0 - tail) + ndtri(power))
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = (z * 100.0 * sd / np.abs(distance_pp)) ** 2
    return np.where(np.isfinite(needed), np.ceil(needed), np.nan)
