"""Generated replies without a gold answer: each check says of a reply whether it is as it should be.

Base and adapter reply to the same prompts, so a check is a target like any other: an item is "right" when its reply
passes, and the verdict on the difference is paired.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from donorgrid.check.records import Yes

IdentifyLanguage = Callable[[str], str | None]
"""The language of a text as a code, or None where it cannot tell."""
ValidateJson = Callable[[Any], bool]

REPLY_CHECKS = {
    "not-empty": "a reply that is not empty",
    "no-loop": "a reply that does not repeat itself",
    "language": "a reply in the language of the prompt",
    "no-refusal": "a reply that does not decline",
    "json": "a reply that is JSON, as the schema asks where there is one",
}
REFUSAL_WITHIN = 160
"""Characters at the beginning in which a refusal is looked for: later on the phrases are part of an answer."""
LOOP_TIMES = 4
"""A piece of text that stands so many times in a row, at the end, is a loop."""
LOOP_CHARACTERS = 24
"""A loop fills at least so many characters: "no, no, no, no" is none."""
LOOP_RATIO = 0.12
"""A text of ``LONG`` characters or more that shrinks to less than this is a loop whatever its period."""
LONG = 400


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply to one prompt in a language; ``validate`` where JSON is asked for (by no schema: anything passes)."""

    text: str
    language: str | None
    validate: ValidateJson | None = None


def passing_replies(check: str, replies: Sequence[Reply], identify: IdentifyLanguage | None) -> Yes:
    """(n,) whether each reply passes a check of ``REPLY_CHECKS``; ``language`` needs ``identify``."""
    judge: Mapping[str, Callable[[Reply], bool]] = {
        "not-empty": lambda one: bool(one.text.strip()),
        "no-loop": lambda one: not loops(one.text),
        "language": lambda one: identify is None or _in_language(one, identify),
        "no-refusal": lambda one: not refuses(one.text, one.language),
        "json": _is_json,
    }
    return np.array([judge[check](one) for one in replies], dtype=np.bool_)


_KIN = (
    {"id", "ms"},
    {"zh", "yue", "wuu"},
    {"bs", "hr", "sr"},
    {"nb", "nn", "no"},
    {"ar", "ary", "arz"},
    {"en", "pcm"},
    {"uz", "uzs"},
    {"ku", "sdh"},
)


def loops(text: str) -> bool:
    """Whether a text repeats itself until its end, or all over.

    A short period (to a quarter of the text) is found by comparing the end with itself, any other by compression.
    """
    body = text.strip()
    for period in range(1, len(body) // LOOP_TIMES + 1):
        times = max(LOOP_TIMES, -(-LOOP_CHARACTERS // period))
        tail = body[-period * times :]
        if len(tail) == period * times and tail[period:] == tail[:-period] and not tail.isdigit():
            return True
    data = body.encode("utf-8", errors="replace")
    return len(body) >= LONG and len(zlib.compress(data, 9)) < LOOP_RATIO * len(data)


def refuses(text: str, language: str | None) -> bool:
    """Whether a reply begins with a phrase that declines, in its language or in English."""
    start = text.strip()[:REFUSAL_WITHIN].casefold().replace("’", "'")
    known = refusal_phrases()
    phrases = (*known.get(_plain_code(language), ()), *known["en"])
    return any(phrase in start for phrase in phrases)


@cache
def refusal_phrases() -> dict[str, tuple[str, ...]]:
    """The phrases by language code, without case."""
    text = resources.files("donorgrid.check").joinpath("refusals.yaml").read_text(encoding="utf-8")
    return {code: tuple(one.casefold() for one in phrases) for code, phrases in yaml.safe_load(text).items()}


def _in_language(reply: Reply, identify: IdentifyLanguage) -> bool:
    """An empty reply, or one too short to tell, is no reply in another language."""
    found = identify(reply.text)
    return found is None or reply.language is None or _kin(found) == _kin(_plain_code(reply.language))


def _kin(code: str) -> str:
    """Languages that no identifier tells apart in a sentence stand for one."""
    return next((min(kin) for kin in _KIN if code in kin), code)


def _is_json(reply: Reply) -> bool:
    try:
        content = json.loads(_without_fence(reply.text), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return reply.validate is None or reply.validate(content)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _without_fence(text: str) -> str:
    """What stands between three backquotes where they enclose the whole reply, as chat models write JSON."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```") and "\n" in body:
        return body.split("\n", 1)[1].removesuffix("```")
    return body


def _plain_code(language: str | None) -> str:
    """``pt`` for ``pt-BR`` and ``zh`` for ``zh_Hant``."""
    return (language or "").replace("_", "-").split("-")[0].lower()
