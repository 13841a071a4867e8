"""Learning-rate schedules, by optimiser step, as transformers defines them."""

import math
from typing import Literal


def rate_factor(step: int, *, n_steps: int, n_warmup: int, schedule: Literal["linear", "cosine", "constant"]) -> float:
    """The factor on the peak rate at 0-based ``step``: a linear rise over the warm-up, then the schedule's way down."""
    if step < n_warmup:
        return step / max(1, n_warmup)
    if schedule == "constant":
        return 1.0
    progress = (step - n_warmup) / max(1, n_steps - n_warmup)
    return max(0.0, 1.0 - progress) if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))
