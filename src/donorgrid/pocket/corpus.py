"""The text that the pocket base model is pre-trained on: generated records, in eleven languages of unequal richness.

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

    Attributes
    ----------
    known_share
        The share of the facts that the text tells at all (0-1).
    mentions
        How often it tells each of them.
    plain_odds
        Odds, against the other phrasings, of a mention worded almost like a test item: these teach to answer.
    translations
        Lines per name that give it in another language.
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
"""Language -> amount, from the richest to the poorest by known share. Languages in Latin script spell most names alike,
so text in each helps the others; a language with a script of its own needs more mentions to learn as much."""


def is_told(fact: Fact, language: str, amount: Amount) -> bool:
    """True if the text in a language tells a fact: drawn once for each fact and language, independent of the seed.

    Parameters
    ----------
    fact
        The fact.
    language
        The language of the text.
    amount
        How much text the language has.

    Returns
    -------
    bool
    """
    return draw("told", fact.id, language) < amount.known_share


def lines(*, seed: int, richness: Mapping[str, Amount]) -> list[str]:
    """Generate the lines of the text: facts and translations.

    Parameters
    ----------
    seed
        The same seed gives the same lines.
    richness
        Language to amount of text.

    Returns
    -------
    list of str
        In a random order.
    """
    rng = random.Random(seed)
    text = [*_fact_lines(rng, richness), *_translation_lines(rng, richness)]
    rng.shuffle(text)
    return text


def _fact_lines(rng: random.Random, richness: Mapping[str, Amount]) -> Iterator[str]:
    for language, amount in richness.items():
        told = (fact for task in TASKS for fact in facts(task) if is_told(fact, language, amount))
        for fact in told:
            for _ in range(amount.mentions):
                weights = (amount.plain_odds, *_OTHER_PHRASINGS)
                yield _phrasings(fact, language)[rng.choices(range(4), weights)[0]]


def _phrasings(fact: Fact, language: str) -> tuple[str, str, str, str]:
    """Four ways to tell a fact; the first is nearest to the question of a test item."""
    subject_kind, answer_kind = TASKS[fact.task]
    words = WORDINGS[language]
    subject = cldr.name(subject_kind, fact.subject, language)
    answer = cldr.name(answer_kind, fact.answer, language)
    field = words.field(answer_kind)
    return (
        f"{subject}{words.stop}{field} {answer}",
        f"{subject} ({field} {answer})",
        f"{words.which[answer_kind]} {subject}{words.colon} {answer}",
        f"{field} {subject} — {answer}",
    )


def _translation_lines(rng: random.Random, richness: Mapping[str, Amount]) -> Iterator[str]:
    for language, amount in richness.items():
        others = [other for other in LANGUAGES if other != language]
        for kind, key in _named():
            for other in rng.choices(others, k=amount.translations):
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
