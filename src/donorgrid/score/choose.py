"""Which option is chosen: pure, without torch."""

from collections.abc import Sequence

import numpy as np


def choose(logliks: Sequence[float]) -> int:
    """Index of the option with the largest log-likelihood (nats); the first of a tie."""
    return int(np.argmax(np.asarray(logliks)))


def choose_norm(logliks: Sequence[float], lengths: Sequence[int]) -> int:
    """The same after dividing each log-likelihood by its choice's length in characters (``acc_norm``)."""
    return int(np.argmax(np.asarray(logliks) / np.asarray(lengths, dtype=float)))
