"""Checks of generated replies that have no gold answer.

Base and adapter reply to the same prompts, so each check is a target like any other: an item is correct if its reply
passes, and the verdict on the difference is paired.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from donorgrid.check.inputs import Bools
from donorgrid.check.loops import LEAST_SHARE, loops

IdentifyLanguage = Callable[[str], str | None]
"""Returns the language of a text as a code, or None if it cannot tell."""
ValidateJson = Callable[[Any], bool]
"""Returns whether parsed JSON satisfies a schema."""

REPLY_CHECKS = {
    "not-empty": "a reply that is not empty",
    "no-loop": "a reply that does not repeat itself",
    "language": "a reply in the language of the prompt",
    "no-refusal": "a reply that does not decline",
    "json": "a reply that is JSON, and valid if the prompt has a schema",
}
"""Check to what it expects, as the page shows it."""
REFUSAL_WITHIN = 160
"""A refusal is looked for in this many characters at the beginning; later, the phrases are part of an answer."""

_INDISTINGUISHABLE = (
    {"id", "ms"},
    {"zh", "yue", "wuu"},
    {"bs", "hr", "sr"},
    {"nb", "nn", "no"},
    {"ar", "ary", "arz"},
    {"en", "pcm"},
    {"uz", "uzs"},
    {"ku", "sdh"},
)
"""Languages that no identifier can tell apart in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply to one prompt.

    Attributes
    ----------
    text
        The generated text.
    language
        The prompt's language code, or None if it is unknown.
    validate
        Checks parsed JSON against the prompt's schema; None if there is no schema.
    """

    text: str
    language: str | None
    validate: ValidateJson | None = None


def passing_replies(
    check: str, replies: Sequence[Reply], identify: IdentifyLanguage | None, *, loop_limit: float = LEAST_SHARE
) -> Bools:
    """Which replies pass a check.

    Parameters
    ----------
    check
        A key of ``REPLY_CHECKS``.
    replies
        The replies.
    identify
        Needed by ``language``; without it, every reply passes that check.
    loop_limit
        For ``no-loop``: the repeated share above which a reply is a loop.

    Returns
    -------
    ndarray of bool
        Shape ``(n_replies,)``.
    """
    passes: Mapping[str, Callable[[Reply], bool]] = {
        "not-empty": lambda reply: bool(reply.text.strip()),
        "no-loop": lambda reply: not loops(reply.text, limit=loop_limit),
        "language": lambda reply: identify is None or _in_language(reply, identify),
        "no-refusal": lambda reply: not refuses(reply.text, reply.language),
        "json": _is_json,
    }
    return np.array([passes[check](reply) for reply in replies], dtype=np.bool_)


def refuses(text: str, language: str | None) -> bool:
    """Whether a reply begins with a phrase that declines.

    Parameters
    ----------
    text
        The reply.
    language
        Its language code; phrases in English always count.

    Returns
    -------
    bool
        True if a phrase occurs within the first ``REFUSAL_WITHIN`` characters, in any case.
    """
    start = text.strip()[:REFUSAL_WITHIN].casefold().replace("’", "'")
    by_language = refusal_phrases()
    phrases = (*by_language.get(_base_code(language), ()), *by_language["en"])
    return any(phrase in start for phrase in phrases)


@cache
def refusal_phrases() -> dict[str, tuple[str, ...]]:
    """Language code to phrases that decline, case-folded."""
    text = resources.files("donorgrid.check").joinpath("refusals.yaml").read_text(encoding="utf-8")
    return {code: tuple(phrase.casefold() for phrase in phrases) for code, phrases in yaml.safe_load(text).items()}


def _in_language(reply: Reply, identify: IdentifyLanguage) -> bool:
    """True unless the reply is known to be in another language; an empty or short reply passes."""
    code = identify(reply.text)
    if code is None or reply.language is None:
        return True
    return _representative(code) == _representative(_base_code(reply.language))


def _representative(code: str) -> str:
    """One code for all languages that an identifier cannot tell apart."""
    return next((min(codes) for codes in _INDISTINGUISHABLE if code in codes), code)


def _is_json(reply: Reply) -> bool:
    try:
        content = json.loads(_without_fence(reply.text), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return reply.validate is None or reply.validate(content)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _without_fence(text: str) -> str:
    """The text between three backquotes if they enclose the whole reply, as chat models write JSON."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```") and "\n" in body:
        return body.split("\n", 1)[1].removesuffix("```")
    return body


def _base_code(language: str | None) -> str:
    """``pt`` for ``pt-BR`` and ``zh`` for ``zh_Hant``."""
    return (language or "").replace("_", "-").split("-")[0].lower()
