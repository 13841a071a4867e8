"""How many items would decide, where even a perfect measurement with the present ones could not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri

from donorgrid.advise.judging import Judged
from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals

_MOST_TIMES = 10_000


@dataclass(frozen=True, kw_only=True)
class Measurable:
    """An option as it would be measured, targets in the order of ``wish.targets``.

    Attributes
    ----------
    judged : Judged
        The option.
    expected_pp : ndarray
        Its expected true deltas, shape ``(n_targets,)``.
    n_items : int
        Items of a measurement.
    item_variance : ndarray
        Variance of a delta from that many items, in squared pp, shape ``(n_targets,)``.
    run_variance : ndarray
        Variance from training runs, which no number of items lowers, shape ``(n_targets,)``.
    """

    judged: Judged
    expected_pp: Reals
    n_items: int
    item_variance: Reals
    run_variance: Reals


@dataclass(frozen=True, kw_only=True)
class ItemsNeeded:
    """What would decide.

    Attributes
    ----------
    option : str
        The option that would be shown to gain and to be safe, if its true deltas are the expected ones.
    n_items : int
        The items that it is measured with.
    needed : int, optional
        The items that would decide; None if no number does, because runs differ too much.
    """

    option: str
    n_items: int
    needed: int | None


def items_needed(option: Measurable, wish: Wish) -> ItemsNeeded | None:
    """Items with which a measurement would show that an option gains and is safe.

    Nothing else is uncertain here: the true deltas are taken to be the expected ones, and only the noise of a
    measurement stands between them and a statement with the wish's confidence.

    Parameters
    ----------
    option : Measurable
        What would be measured.
    wish : Wish
        Guards, limit and confidence.

    Returns
    -------
    ItemsNeeded or None
        None if the present items could decide, or if the expected deltas are no gain or harm a guard: then no item
        would speak for the option.
    """
    guards = [wish.targets.index(guard) for guard in wish.guards]
    distances = option.expected_pp[guards] + wish.limit_pp
    if (distances <= 0).any() or wish.gain(option.expected_pp[: len(wish.wanted)]) <= 0 or _decides(option, wish, 1.0):
        return None
    name = option.judged.option.name
    if not _decides(option, wish, float(_MOST_TIMES)):
        return ItemsNeeded(option=name, n_items=option.n_items, needed=None)
    low, high = 1.0, float(_MOST_TIMES)
    while high / low > 1.01:
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _decides(option, wish, middle) else (middle, high)
    return ItemsNeeded(option=name, n_items=option.n_items, needed=int(np.ceil(high * option.n_items)))


def _decides(option: Measurable, wish: Wish, times: float) -> bool:
    """True if so many times the items show both the gain and the safety of the guards."""
    variance = option.item_variance / times + option.run_variance
    n_wanted = len(wish.wanted)
    weights = np.array(list(wish.wanted.values())) / sum(wish.wanted.values())
    gain = float(wish.gain(option.expected_pp[:n_wanted]))
    gain_sd = float(np.sqrt(variance[:n_wanted].max() if wish.worst else weights**2 @ variance[:n_wanted]))
    if gain < float(ndtri((1.0 + wish.confidence) / 2.0)) * gain_sd:
        return False
    guards = [wish.targets.index(guard) for guard in wish.guards]
    if not guards:
        return True
    distances = option.expected_pp[guards] + wish.limit_pp
    log_safe = log_ndtr(distances / np.sqrt(np.maximum(variance[guards], 1e-12)))
    if wish.expects_some_harm:
        return bool(np.sum(1.0 - np.exp(log_safe)) <= wish.n_allowed)
    return bool(np.exp(log_safe.sum()) >= wish.confidence)
