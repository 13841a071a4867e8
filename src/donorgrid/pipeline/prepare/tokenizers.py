"""What a base model's tokenizer decides: the longest input, and what is cut from an item."""

from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.models.folders import ModelFolder
from donorgrid.score.encode import EncodedItem

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


def sequence_length(item: EncodedItem) -> int:
    """The tokens of an item's longest sequence: its context and its longest option."""
    return len(item.context) + max(map(len, item.continuations))


def n_tokens_cut(item: EncodedItem, max_length: int) -> int:
    """How many tokens an item loses at its beginning.

    Parameters
    ----------
    item : EncodedItem
        The item.
    max_length : int
        The tokens that the model reads at most. The last token of an option is predicted and not read, so a sequence
        may have one more.

    Returns
    -------
    int
        Tokens of the longest sequence, at least 0.
    """
    return max(0, sequence_length(item) - (max_length + 1))


def check_chat_template(folder: ModelFolder, tokenizer: Any) -> None:
    """Raises InputError if a tokenizer has no chat template.

    Parameters
    ----------
    folder : ModelFolder
        The model, for the message.
    tokenizer
        Its tokenizer.
    """
    if not tokenizer.chat_template:
        raise InputError(
            f"{folder.path}: the tokenizer has no chat template; set scoring.chat_template: false in a study, or "
            "leave --chat-template out of a check"
        )
