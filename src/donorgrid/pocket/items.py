"""The documents of the pocket world: multiple-choice questions, the same items in eleven languages."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.pocket import cldr
from donorgrid.pocket.regions import CONTINENT_OF
from donorgrid.pocket.wording import LANGUAGES, WORDINGS
from donorgrid.pocket.world import TASKS, Fact, draw, facts, parts

N_CHOICES = 4
_SURE = 0.98
_NEARBY = 3.0


def documents(name: str, split: str) -> list[dict[str, Any]]:
    """List the documents of one cell.

    Parameters
    ----------
    name
        ``task/language``.
    split
        ``train`` or ``test``.

    Returns
    -------
    list of dict
        Sorted by ID. Each has ``id`` (the same item in every language), ``question``, ``choices`` (four distinct texts)
        and ``answer`` (the index of the right one, the same in every language).

    Raises
    ------
    InputError
        For an unknown name or split.
    """
    task, _, language = name.partition("/")
    known = [f"{known_task}/{code}" for known_task in TASKS for code in LANGUAGES]
    if name not in known:
        allowed = f"'task/language' with a task of {', '.join(TASKS)} and a language of {', '.join(LANGUAGES)}"
        raise InputError(f"pocket documents '{name}': expected {allowed}{suggestion(name, known)}")
    if split not in ("train", "test"):
        raise InputError(f"pocket documents '{name}': split '{split}' is not one of train, test")
    return [_document(fact, choices, language) for fact, choices in _chosen(task, split)]


def _document(fact: Fact, choices: tuple[str, ...], language: str) -> dict[str, Any]:
    subject_kind, answer_kind = TASKS[fact.task]
    subject = cldr.name(subject_kind, fact.subject, language)
    return {
        "id": fact.id,
        "question": WORDINGS[language].question(subject_kind, subject, answer_kind),
        "choices": [cldr.name(answer_kind, key, language) for key in choices],
        "answer": choices.index(fact.answer),
    }


@cache
def _chosen(task: str, split: str) -> tuple[tuple[Fact, tuple[str, ...]], ...]:
    """The facts of one part, each with the CLDR keys of its four choices in the order shown."""
    part = [fact for fact in facts(task) if parts()[fact.territory] == split]
    wrong = _wrong_choices(part)
    return tuple(
        (fact, tuple(sorted((fact.answer, *wrong[fact.id]), key=lambda key: draw("order", fact.id, key))))
        for fact in sorted(part, key=lambda fact: fact.id)
    )


def _wrong_choices(part: list[Fact]) -> dict[str, tuple[str, ...]]:
    """Three wrong choices for each fact, from the right answers of the other facts of the same part.

    A choice that is right n times should be a wrong choice about 3 n times: then it is right in one of four items that
    show it, and how often an answer occurs says nothing.
    """
    owed = Counter({answer: (N_CHOICES - 1) * n for answer, n in Counter(fact.answer for fact in part).items()})
    open_to = Counter(answer for fact in part for answer in owed if answer not in fact.not_wrong)
    near = _continents_of_answers(part)
    chosen: dict[str, tuple[str, ...]] = {}
    for fact in sorted(part, key=lambda fact: draw("turn", fact.id)):
        rates = {answer: owed[answer] / open_to[answer] for answer in sorted(owed) if answer not in fact.not_wrong}
        nearby = {answer for answer in rates if CONTINENT_OF[fact.territory] in near[answer]}
        chosen[fact.id] = _drawn(fact.id, rates, nearby)
        owed.subtract(chosen[fact.id])
        open_to.subtract(rates)
    return chosen


def _drawn(item_id: str, rates: dict[str, float], nearby: Iterable[str]) -> tuple[str, ...]:
    """Draws three answers without replacement, by the odds of their rates; those nearby are more likely.

    Weighted sampling by the smallest of ``-log(u) / weight``, ranked here as ``u ** (1 / weight)`` (Efraimidis and
    Spirakis 2006, https://doi.org/10.1016/j.ipl.2005.11.003).
    """

    def rank(answer: str) -> float:
        rate = min(max(rates[answer], 1e-3), _SURE)
        weight = rate / (1 - rate) * (_NEARBY if answer in nearby else 1.0)
        return float(draw("wrong", item_id, answer) ** (1 / weight))

    return tuple(sorted(rates, key=lambda answer: (-rank(answer), answer))[: N_CHOICES - 1])


def _continents_of_answers(part: list[Fact]) -> dict[str, set[str]]:
    continents: dict[str, set[str]] = {}
    for fact in part:
        continents.setdefault(fact.answer, set()).add(CONTINENT_OF[fact.territory])
    return continents
