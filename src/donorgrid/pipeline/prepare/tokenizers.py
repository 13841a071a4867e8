"""A base model's tokenizer: the longest input it allows, and its encoding as a plain function."""

from collections.abc import Sequence
from typing import Any

from donorgrid.models.folders import ModelFolder
from donorgrid.models.loading import load_tokenizer
from donorgrid.tasks.validation.show import Encode

_DEFAULT_MAX_LENGTH = 2048
_UNLIMITED = 10**9
"""Tokenizers without a limit state a number beyond this."""


def max_input_length(folder: ModelFolder, tokenizer: Any) -> int:
    """How many tokens a model reads at most, by the rule of lm-eval.

    Parameters
    ----------
    folder : ModelFolder
        The model; its ``max_positions`` count first.
    tokenizer
        The model's tokenizer; its ``model_max_length`` counts where the model states no limit.

    Returns
    -------
    int
        Tokens; 2048 where neither states a limit.
    """
    limits = (folder.max_positions, tokenizer.model_max_length)
    return next((int(limit) for limit in limits if limit and limit < _UNLIMITED), _DEFAULT_MAX_LENGTH)


def text_encoder(folder: ModelFolder) -> Encode:
    """The tokenizer of a model as a function from (text, add special tokens) to token ids."""
    tokenizer = load_tokenizer(folder)

    def encode(text: str, special: bool) -> Sequence[int]:
        ids: Sequence[int] = tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids

    return encode
