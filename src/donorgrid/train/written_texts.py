"""Training texts with their special tokens written out, for trainers that add none by themselves."""

from typing import Any

from donorgrid.core.records import TextEncoding, TrainingText
from donorgrid.models.encoding.chat import check_template
from donorgrid.models.encoding.pairs import prefix_token, split_texts, tokenize
from donorgrid.train.encode import TextEnds, answer_of, opening_of


def written_out(text: TrainingText, tokenizer: Any, encoding: TextEncoding) -> tuple[str, str]:
    """A training text as two texts that hold every special token.

    Parameters
    ----------
    text
        The text.
    tokenizer
        A transformers tokenizer.
    encoding
        How texts become tokens.

    Returns
    -------
    (str, str)
        What is read, and what is learned. Tokenized one by one, without further special tokens, they are the text's
        tokens, except where a token would join both.

    Raises
    ------
    InputError
        The tokenizer lacks the chat template or the end that is asked for, or the template refuses the messages.
    """
    end = tokenizer.decode(list(TextEnds(tokenizer, encoding).of(text)))
    way = encoding.way(text)
    if way != "joint":
        opened = _opened(text.prompt, tokenizer) if way == "whole" else text.prompt
        return opened, _ended(text.target, end)
    if encoding.template_args is not None:
        check_template(tokenizer)
    context, (target,) = split_texts(
        opening_of(text), [answer_of(text)], tokenizer, template_args=encoding.template_args
    )
    return _opened(context, tokenizer), _ended(target, end)


def _ended(target: str, end: str) -> str:
    return target if end and target.endswith(end) else target + end


def _opened(context: str, tokenizer: Any) -> str:
    """A context after the special tokens that the tokenizer puts before it."""
    if not context:
        return str(tokenizer.decode([prefix_token(tokenizer)]))
    ids, plain = tokenize(context, tokenizer), tokenizer.encode(context, add_special_tokens=False)
    n_before = next((n for n in range(len(ids)) if ids[n : n + len(plain)] == plain), 0)
    return str(tokenizer.decode(ids[:n_before])) + context
