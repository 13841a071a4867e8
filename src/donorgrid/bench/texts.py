"""The texts of a benchmark: real ones from the user's files, or generated ones of the same lengths."""

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from donorgrid.core.errors import InputError

TOPICS = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
_CAUSE = {"cause": "What was the cause?", "effect": "What happened then?"}
_SYLLABLES = ["ka", "to", "mi", "ren", "su", "la", "po", "vi", "da", "ner", "gu", "sal", "be", "tri", "no"]
_LANGUAGES = {"ita_Latn": "it", "ind_Latn": "id", "tur_Latn": "tr", "zho_Hans": "zh"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """One multiple-choice question: the text, the choices, and the index of the correct choice."""

    text: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True, kw_only=True)
class BenchTexts:
    """Where the texts are from, the questions to train on (one cell), and the questions by target."""

    origin: str
    train: tuple[Question, ...]
    targets: dict[str, tuple[Question, ...]]

    def all_texts(self) -> Iterator[str]:
        """All texts, to train a tokenizer on."""
        for question in [*self.train, *chain.from_iterable(self.targets.values())]:
            yield " ".join((question.text, *question.choices))


def real_texts(data: Path, *, n_train: int, n_items: int) -> BenchTexts:
    """SIB-200 and XCOPA in four languages.

    Parameters
    ----------
    data
        A folder with ``sib200/`` and ``xcopa/``.
    n_train, n_items
        At most so many training texts, and items of each target.

    Returns
    -------
    BenchTexts
        Eight targets; trained on SIB-200 in Italian.

    Raises
    ------
    InputError
        If a folder is missing.
    """
    if not (data / "sib200").is_dir() or not (data / "xcopa").is_dir():
        raise InputError(f"{data}: expected the folders sib200 and xcopa")
    targets = {}
    for folder, language in _LANGUAGES.items():
        rows = [*_topics(data / "sib200" / folder / "test.tsv"), *_topics(data / "sib200" / folder / "dev.tsv")]
        targets[f"topic_{language}"] = tuple(rows[:n_items])
        targets[f"copa_{language}"] = tuple(_copa(data / "xcopa" / f"test.{language}.jsonl"))[:n_items]
    train = _topics(data / "sib200" / "ita_Latn" / "train.tsv")[:n_train]
    return BenchTexts(origin="SIB-200 and XCOPA", train=tuple(train), targets=targets)


def generated_texts(*, n_train: int, n_items: int, seed: int = 0) -> BenchTexts:
    """Random words in texts as long as the real ones (about 45 tokens), in eight targets.

    Parameters
    ----------
    n_train, n_items
        Training texts, and items of each target.
    seed
        Of the random words.

    Returns
    -------
    BenchTexts
        Always the same for one seed.
    """
    rng = random.Random(seed)
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4))) for _ in range(6000)]

    def text(low: int, high: int) -> str:
        return " ".join(rng.choices(words, k=rng.randint(low, high)))

    def topic() -> Question:
        return Question(text=f"{text(12, 34)}.\nTopic:", choices=TOPICS, answer=rng.randrange(len(TOPICS)))

    def copa() -> Question:
        choices = (text(4, 10), text(4, 10))
        return Question(text=f"{text(5, 12)}. What was the cause?", choices=choices, answer=rng.randrange(2))

    targets = {f"topic_{number}": tuple(topic() for _ in range(n_items)) for number in range(4)}
    targets |= {f"copa_{number}": tuple(copa() for _ in range(n_items)) for number in range(4)}
    return BenchTexts(origin="generated words", train=tuple(topic() for _ in range(n_train)), targets=targets)


def _topics(path: Path) -> list[Question]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [
        Question(text=f"{row['text']}\nTopic:", choices=TOPICS, answer=TOPICS.index(row["category"])) for row in rows
    ]


def _copa(path: Path) -> list[Question]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Question(
            text=f"{row['premise']} {_CAUSE[row['question']]}",
            choices=(row["choice1"], row["choice2"]),
            answer=row["label"],
        )
        for row in rows
    ]
