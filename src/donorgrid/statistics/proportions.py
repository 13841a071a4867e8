"""Small facts about shares: the Wilson interval and the entropy of choices."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri


def wilson_interval(n_right: float, n_items: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22). (0, 1) for no items."""
    if n_items <= 0:
        return 0.0, 1.0
    z = float(ndtri((1 + confidence) / 2))
    share, square = n_right / n_items, z * z / n_items
    centre = (share + square / 2) / (1 + square)
    half = z * np.sqrt(share * (1 - share) / n_items + square / (4 * n_items)) / (1 + square)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def relative_entropy_of_choices(chosen: npt.NDArray[np.int64], n_options: int) -> float:
    """The entropy of the chosen options over log(n_options): 0 always the same, 1 evenly spread; NaN for no items."""
    if n_options < 2 or not chosen.size:
        return float("nan")
    shares = np.bincount(chosen) / chosen.size
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum() / np.log(n_options)) + 0.0
