"""Learning-rate schedules by optimizer step, as transformers defines them; the warm-up is given in steps."""

import math
from typing import Literal


def rate_factor(step: int, *, n_steps: int, n_warmup: int, schedule: Literal["linear", "cosine", "constant"]) -> float:
    """The factor on the peak learning rate at one step: a linear rise during the warm-up, then the schedule.

    Parameters
    ----------
    step
        The optimizer step, from 0.
    n_steps
        Steps of the whole training.
    n_warmup
        Steps of the warm-up, part of ``n_steps``.
    schedule
        After the warm-up: "linear" falls to 0, "cosine" falls to 0 along half a cosine, "constant" stays at 1.

    Returns
    -------
    float
        Between 0 and 1.
    """
    if step < n_warmup:
        return step / max(1, n_warmup)
    if schedule == "constant":
        return 1.0
    progress = (step - n_warmup) / max(1, n_steps - n_warmup)
    return max(0.0, 1.0 - progress) if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))
