"""The text that the pocket base model is pre-trained on: generated records in eleven languages, some richer.

No line has the form of a test item's question: facts are told in four other phrasings, and the form of the question
occurs only with names in other languages (``Territory: Germany. French: Allemagne``).
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from donorgrid.pocket import cldr
from donorgrid.pocket.wording import LANGUAGES, WORDINGS, Kind
from donorgrid.pocket.world import TASKS, Fact, draw, facts

_OTHER_PHRASINGS = (0.1, 0.45, 0.45)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much text one language has.

    known_share: the share of the facts that the text tells at all (0-1). mentions: how often it tells each of them.
    plain_odds: odds, against the other phrasings, of a mention worded almost like a test item: these teach to answer.
    translations: lines per name that give it in another language.
    """

    known_share: float
    mentions: int
    plain_odds: float
    translations: int = 1


RICHNESS = {
    "en": Amount(known_share=0.75, mentions=13, plain_odds=0.12, translations=2),
    "zh": Amount(known_share=0.72, mentions=18, plain_odds=0.06, translations=2),
    "es": Amount(known_share=0.68, mentions=12, plain_odds=0.10),
    "fr": Amount(known_share=0.62, mentions=11, plain_odds=0.08),
    "ar": Amount(known_share=0.58, mentions=20, plain_odds=0.08),
    "de": Amount(known_share=0.56, mentions=10, plain_odds=0.05),
    "pt": Amount(known_share=0.52, mentions=10, plain_odds=0.05),
    "hi": Amount(known_share=0.49, mentions=18, plain_odds=0.05),
    "it": Amount(known_share=0.46, mentions=9, plain_odds=0.04),
    "bn": Amount(known_share=0.43, mentions=18, plain_odds=0.03),
    "id": Amount(known_share=0.40, mentions=8, plain_odds=0.03),
}
"""The languages from the richest to the poorest by known share. What one language in Latin script tells helps the
others, which spell most names alike; a language alone with its script needs more mentions to learn as much."""


def is_told(fact: Fact, language: str, amount: Amount) -> bool:
    """Whether the text in ``language`` tells this fact: drawn once for each fact and language, whatever the seed."""
    return draw("told", fact.id, language) < amount.known_share


def lines(*, seed: int, richness: Mapping[str, Amount]) -> list[str]:
    """The lines of the text, in a random order: facts and translations. The same seed gives the same lines."""
    chance = random.Random(seed)
    found = [*_fact_lines(chance, richness), *_translation_lines(chance, richness)]
    chance.shuffle(found)
    return found


def _fact_lines(chance: random.Random, richness: Mapping[str, Amount]) -> Iterator[str]:
    for language, amount in richness.items():
        told = (fact for task in TASKS for fact in facts(task) if is_told(fact, language, amount))
        for fact in told:
            for _ in range(amount.mentions):
                weights = (amount.plain_odds, *_OTHER_PHRASINGS)
                yield _phrasings(fact, language)[chance.choices(range(4), weights)[0]]


def _phrasings(fact: Fact, language: str) -> tuple[str, str, str, str]:
    """Four ways to tell a fact; the first is the nearest to a test item's question."""
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
    )


def _translation_lines(chance: random.Random, richness: Mapping[str, Amount]) -> Iterator[str]:
    for language, amount in richness.items():
        others = [other for other in LANGUAGES if other != language]
        for kind, key in _named():
            for other in chance.choices(others, k=amount.translations):
                yield _translated(kind, key, language, other)


def _named() -> list[tuple[Kind, str]]:
    """Every name that a fact uses, as kind and key; sorted."""
    subjects = {(TASKS[task][0], fact.subject) for task in TASKS for fact in facts(task)}
    answers = {(TASKS[task][1], fact.answer) for task in TASKS for fact in facts(task)}
    return sorted(subjects | answers)


def _translated(kind: Kind, key: str, language: str, other: str) -> str:
    words = WORDINGS[language]
    here = words.record(kind, cldr.name(kind, key, language))
    return f"{here}{cldr.name('language', other, language)}{words.colon} {cldr.name(kind, key, other)}"
