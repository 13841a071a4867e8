"""How much cells vary where no other model's table is at hand: a few dozen numbers, and the models they are from."""

from functools import cache
from importlib.resources import files

import numpy as np
import yaml

from donorgrid.statistics.transfer_model.defaults import Defaults


@cache
def default_numbers() -> Defaults:
    """Returns the built-in numbers (``default_numbers.yaml``; ``benchmarks/advice_defaults.py`` makes them)."""
    text = files("donorgrid.advise").joinpath("default_numbers.yaml").read_text(encoding="utf-8")
    numbers = yaml.safe_load(text)
    return Defaults(
        models=tuple(numbers["models"]),
        log_variances={part: np.array(values) for part, values in numbers["log_variances"].items()},
        log_variance_sd={part: np.array(values) for part, values in numbers["log_variance_sd"].items()},
        **{
            name: float(numbers[name])
            for name in (
                "log_scale",
                "log_scale_sd",
                "degrees",
                "task_log_sd",
                "trained_gain",
                "trained_gain_variance",
            )
        },
    )
