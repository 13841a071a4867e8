"""The text that the pocket base model is pre-trained on: generated records in eleven languages, some richer than others.

No line has the form of a test item's question: a fact about a territory is told in five other phrasings, and the form of
the question occurs only with names in other languages (``Territory: Kenya. French: Kenya.``).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from donorgrid.pocket import cldr
from donorgrid.pocket.wording import LANGUAGES, WORDINGS, Kind
from donorgrid.pocket.world import TASKS, Fact, draw, facts

RICHNESS = {
    "en": 1.0,
    "es": 0.9,
    "zh": 0.8,
    "fr": 0.75,
    "de": 0.65,
    "pt": 0.55,
    "it": 0.45,
    "ar": 0.35,
    "id": 0.25,
    "hi": 0.1,
    "bn": 0.0,
}
"""0 for the poorest language, 1 for the richest."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """How much text there is: the poorest language has the first number of each pair, the richest the second.

    known_share: the share of the facts that the text tells at all (0-1). mentions: how often it tells each of them.
    translations: lines per name that give it in another language.
    """

    known_share: tuple[float, float] = (0.55, 0.95)
    mentions: tuple[float, float] = (8, 24)
    translations: tuple[float, float] = (1, 3)


def _between(ends: tuple[float, float], language: str) -> float:
    return ends[0] + (ends[1] - ends[0]) * RICHNESS[language]


def is_told(fact: Fact, language: str, amounts: Amounts) -> bool:
    """Whether the text in ``language`` tells this fact: drawn once for each fact and language, whatever the seed."""
    return draw("told", fact.id, language) < _between(amounts.known_share, language)


def lines(*, seed: int, amounts: Amounts) -> list[str]:
    """The lines of the text, in a random order: facts and translations. The same seed gives the same lines."""
    chance = random.Random(seed)
    found = [*_fact_lines(chance, amounts), *_translation_lines(chance, amounts)]
    chance.shuffle(found)
    return found


def _fact_lines(chance: random.Random, amounts: Amounts) -> Iterator[str]:
    for language in LANGUAGES:
        mentions = round(_between(amounts.mentions, language))
        for task in TASKS:
            for fact in facts(task):
                if is_told(fact, language, amounts):
                    for _ in range(mentions):
                        yield _phrased(fact, language, chance.randrange(5))


def _phrased(fact: Fact, language: str, phrasing: int) -> str:
    subject_kind, asked = TASKS[fact.task]
    words = WORDINGS[language]
    subject = cldr.name(subject_kind, fact.subject, language)
    answer = cldr.name(asked, fact.answer, language)
    field = words.field(asked)
    return (
        f"{subject}{words.stop}{field} {answer}",
        f"{subject} ({field} {answer})",
        f"{words.which[asked]} {subject}{words.colon} {answer}",
        f"{field} {subject} — {answer}",
        f"{answer} — {field} {subject}",
    )[phrasing]


def _translation_lines(chance: random.Random, amounts: Amounts) -> Iterator[str]:
    named: set[tuple[Kind, str]] = set()
    for task, (subject_kind, asked) in TASKS.items():
        named |= {(subject_kind, fact.subject) for fact in facts(task)}
        named |= {(asked, fact.answer) for fact in facts(task)}
    for language in LANGUAGES:
        others = [other for other in LANGUAGES if other != language]
        weights = [0.2 + RICHNESS[other] for other in others]
        for kind, key in sorted(named):
            for other in chance.choices(others, weights, k=round(_between(amounts.translations, language))):
                yield _translated(kind, key, language, other)


def _translated(kind: Kind, key: str, language: str, other: str) -> str:
    words = WORDINGS[language]
    here = words.record(kind, cldr.name(kind, key, language))
    return f"{here}{cldr.name('language', other, language)}{words.colon} {cldr.name(kind, key, other)}"
