"""Tokens by name: special ones as the tokenizer writes them, others as their text."""

from collections.abc import Sequence
from typing import Any

_PART = "\N{REPLACEMENT CHARACTER}"


def token_names(token_ids: Sequence[int], tokenizer: Any) -> tuple[str, ...]:
    """Names tokens for a reader.

    Parameters
    ----------
    token_ids
        The tokens.
    tokenizer
        A transformers tokenizer.

    Returns
    -------
    tuple of str
        The text of each token, with line breaks as ``\\n``. A token that is a part of a character has the name that the
        vocabulary gives it.
    """
    raw = tokenizer.convert_ids_to_tokens(list(token_ids))
    texts = (tokenizer.decode([token], skip_special_tokens=False) for token in token_ids)
    return tuple(
        name if not text or _PART in text else text.replace("\n", "\\n") for name, text in zip(raw, texts, strict=True)
    )
