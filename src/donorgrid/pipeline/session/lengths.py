"""How long an input a model reads."""

from typing import Any

from donorgrid.models.folders import ModelFolder

_DEFAULT_LONGEST = 2048


def longest_input(folder: ModelFolder, tokenizer: Any) -> int:
    """How many tokens the model reads at most, found as lm-eval finds it."""
    known = (folder.max_positions, tokenizer.model_max_length)
    return next((int(length) for length in known if length and length < 10**9), _DEFAULT_LONGEST)
