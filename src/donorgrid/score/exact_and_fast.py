"""Chosen options of float32, most of them computed with products in bf16.

All items are scored with products in bf16. A sample is scored in float32 too: it shows the largest error of the
difference between two options of an item (what options share cancels). Items whose two best options are nearer than
three times that error are scored again in float32, so that the chosen option is that of float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from donorgrid.core.records import Precision
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer

SAMPLE_ITEMS = 32
"""So many items of each target are scored in float32 first; a target without more is scored in float32 alone."""
_ERRORS_APART = 3.0


@dataclass(frozen=True, kw_only=True)
class PreciseLogliks:
    """Log-likelihoods with the precision of each item.

    Attributes
    ----------
    logliks
        The log-likelihood of each option of each item, nats.
    precisions
        By item: ``fp32``, or ``bf16`` where the products were computed in bf16.
    """

    logliks: list[list[float]]
    precisions: list[Precision]

    @property
    def share_in_fp32(self) -> float:
        """The share of the items that were scored in float32, the sample among them, 0-1."""
        return self.precisions.count("fp32") / max(1, len(self.precisions))


def score_exact_and_fast(scorer: Scorer, packed: PackedItems, *, norm: bool) -> PreciseLogliks:
    """Scores items so that every chosen option is that of float32.

    Parameters
    ----------
    scorer
        On a network in float32. Without a fast decoder for it, everything is scored in float32.
    packed
        The items of one target.
    norm
        Whether options are also chosen by log-likelihood per character (``acc_norm``).

    Returns
    -------
    PreciseLogliks
        In the order of the items.
    """
    n_items = len(packed.items)
    if n_items <= SAMPLE_ITEMS or not scorer.can_round_products(packed):
        return PreciseLogliks(logliks=scorer.score(packed), precisions=["fp32"] * n_items)
    logliks = scorer.score(packed, rounds_products=True)
    sampled_items = np.linspace(0, n_items - 1, SAMPLE_ITEMS).round().astype(int).tolist()
    in_fp32 = dict(zip(sampled_items, _score_again(scorer, packed, sampled_items), strict=True))
    near: set[int] = set()
    for units in _units(packed, norm=norm):
        error = max(_spread((np.array(in_fp32[item]) - logliks[item]) / units[item]) for item in sampled_items)
        near.update(
            item for item in range(n_items) if not _margin(logliks[item] / units[item]) >= _ERRORS_APART * error
        )
    again = sorted(near.difference(sampled_items))
    in_fp32.update(zip(again, _score_again(scorer, packed, again), strict=True))
    return PreciseLogliks(
        logliks=[in_fp32.get(item, logliks[item]) for item in range(n_items)],
        precisions=["fp32" if item in in_fp32 else "bf16" for item in range(n_items)],
    )


def _score_again(scorer: Scorer, packed: PackedItems, items: Sequence[int]) -> list[list[float]]:
    return scorer.score(scorer.pack([packed.items[item] for item in items])) if items else []


def _units(packed: PackedItems, *, norm: bool) -> list[list[NDArray[np.float64]]]:
    """By metric, what the log-likelihoods of each item are divided by before they are compared."""
    lengths = [np.array([len(choice) for choice in item.item.choices], dtype=float) for item in packed.items]
    return [[np.ones_like(length) for length in lengths], *([lengths] if norm else [])]


def _spread(errors: NDArray[np.float64]) -> float:
    """The largest error of a difference between two options; NaN if an error is."""
    return float(errors.max() - errors.min())


def _margin(scores: NDArray[np.float64]) -> float:
    """How far the best option is above the second; infinite for a single option."""
    if len(scores) < 2:
        return float("inf")
    second, best = np.sort(scores)[-2:]
    return float(best - second)
