"""Which option is chosen: the one with the largest log-likelihood; of options that tie, the first.

Ties are exact ties of floating-point numbers, as in lm-eval (``numpy.argmax``): the option with the lowest index wins,
never a later one. No torch here.
"""

from collections.abc import Sequence

import numpy as np


def choose(logliks: Sequence[float]) -> int:
    """Index of the option with the largest log-likelihood (nats), the first of a tie: lm-eval's ``acc``."""
    return int(np.argmax(np.asarray(logliks)))


def choose_norm(logliks: Sequence[float], lengths: Sequence[int]) -> int:
    """Index of the option with the largest log-likelihood per character, the first of a tie: lm-eval's ``acc_norm``.

    Parameters
    ----------
    logliks
        Log-likelihoods of the options, nats: (n_options,).
    lengths
        Lengths of the options in characters, above 0: (n_options,).

    Returns
    -------
    int
        From 0 to n_options - 1.
    """
    return int(np.argmax(np.asarray(logliks) / np.asarray(lengths, dtype=float)))
