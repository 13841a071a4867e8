"""How the answers of a plain data file name the right choice: by label, text, letter, or a number from 0 or 1.

One rule holds for all rows of a file. A file that could be read in two ways with different answers is refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError

ANSWERS_FROM = ("0", "1", "letters", "text")
"""What the key ``answers_from`` may say."""
ROWS_WITH_A_ZERO = 20
"""A file of so many rows whose numbers count from 0 has an answer 0."""

_LABELS, _TEXT, _LETTERS, _FROM_0, _FROM_1 = "labels", "text", "letters", "0", "1"
_MEANINGS = {
    _LABELS: "the labels of choices",
    _TEXT: "the texts of choices",
    _LETTERS: "letters of choices, A for the first",
    _FROM_0: "numbers of choices, 0 for the first",
    _FROM_1: "numbers of choices, 1 for the first",
}
_NUMBER = re.compile(r"[0-9]{1,6}(\.0*)?")
_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\].:]{0,2}")
_ASK = "say which by the key answers_from: 0 or answers_from: 1 (--columns answers_from=1)"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer as a row has it.

    Attributes
    ----------
    row
        The number of the row, from 0.
    value
        What the row's column holds.
    choices
        The texts of the row's choices.
    labels
        The labels of the choices, where the row has them.
    """

    row: int
    value: Any
    choices: Sequence[Any]
    labels: Sequence[str] = ()

    @property
    def readings(self) -> dict[str, int]:
        """The index of the choice that the answer means, for each convention that fits."""
        text = str(self.value).strip() if isinstance(self.value, str | int | float) else ""
        if text and text in self.labels:
            return {_LABELS: self.labels.index(text)}
        readings: dict[str, int] = {}
        number = number_in(self.value)
        letter = _LETTER.fullmatch(text) if isinstance(self.value, str) else None
        among = _index_of(self.value, self.choices) if isinstance(self.value, str) else None
        if among is not None:
            readings[_TEXT] = among
        if letter and ord(letter[1].upper()) - ord("A") < len(self.choices):
            readings[_LETTERS] = ord(letter[1].upper()) - ord("A")
        if number is not None and number < len(self.choices):
            readings[_FROM_0] = number
        if number is not None and 1 <= number <= len(self.choices):
            readings[_FROM_1] = number - 1
        return readings

    @property
    def shown(self) -> str:
        """The answer and its row, for messages."""
        value = repr(self.value)
        return f"{value if len(value) <= 40 else value[:37] + '...'} (row {self.row})"


@dataclass(frozen=True, kw_only=True)
class Convention:
    """How a file names the right choice; ``note`` says it with an example, in one line."""

    name: str
    note: str

    def document_answer(self, answer: Answer) -> Any:
        """Returns the index of the right choice; a text that is no choice if the answer does not fit."""
        index = answer.readings.get(self.name)
        if index is not None:
            return index
        number = number_in(answer.value)
        if number is not None and self.name == _FROM_0:
            return number
        if answer.value is None or isinstance(answer.value, list | dict) or (number is None and self.name == _TEXT):
            return answer.value
        return f"{answer.value} ({_MEANINGS[self.name].split(',')[0]} are expected)"


def number_in(value: Any) -> int | None:
    """Returns the whole number, 0 or more, that a value is or is the text of, also ``2.0``; None for any other."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value.strip().split(".")[0]) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and 0 <= value < 10**6 else None
    return value if isinstance(value, int) and 0 <= value < 10**6 else None


def _index_of(text: str, choices: Sequence[Any]) -> int | None:
    if text in choices:
        return choices.index(text)
    stripped = [choice.strip() if isinstance(choice, str) else choice for choice in choices]
    return stripped.index(text.strip()) if stripped.count(text.strip()) == 1 else None


def convention_of(answers: Sequence[Answer], *, given: str | None, where: str) -> Convention:
    """Decide how a file names the right choice.

    Parameters
    ----------
    answers
        Those of all rows of the file.
    given
        The key ``answers_from``, which wins; None to decide by the rows.
    where
        The file's name, for messages.

    Returns
    -------
    Convention

    Raises
    ------
    InputError
        If ``given`` is none of ``ANSWERS_FROM``, answers are true or false, the rows are of several kinds, or they fit
        several conventions that disagree.
    """
    if given is not None and given not in ANSWERS_FROM:
        raise InputError(f"{where}: answers_from is '{given}'; allowed: {', '.join(ANSWERS_FROM)}")
    for answer in answers:
        if isinstance(answer.value, bool):
            shown = str(answer.value).lower()
            raise InputError(
                f"{where}: row {answer.row}: the answer is {shown}, a truth value; expected the number, letter or text "
                "of the right choice"
            )
    fitting = [(answer, answer.readings) for answer in answers]
    usable = [(answer, readings) for answer, readings in fitting if readings]
    if given is not None:
        return _told(given, usable, where, "as answers_from says")
    if not usable:
        return Convention(name=_FROM_0 if any(number_in(a.value) is not None for a in answers) else _TEXT, note="")
    candidates = [name for name in _MEANINGS if all(name in readings for _, readings in usable)]
    if not candidates:
        raise InputError(f"{where}: {_mixture(usable)}")
    if candidates[0] == _LABELS:
        return _told(_LABELS, usable, where, "")
    if candidates[0] == _TEXT:
        _refuse_ambiguous(candidates, usable, where)
        return _told(_TEXT, usable, where, "")
    if candidates[0] == _LETTERS:
        return _told(_LETTERS, usable, where, "")
    return _numbers(candidates, usable, len(answers), where)


def _numbers(candidates: list[str], usable: list[tuple[Answer, dict[str, int]]], n_rows: int, where: str) -> Convention:
    if candidates == [_FROM_0]:
        return _told(_FROM_0, usable, where, "")
    if candidates == [_FROM_1]:
        last = next(answer for answer, readings in usable if _FROM_0 not in readings)
        raise InputError(
            f"{where}: no answer is 0 and one equals the number of choices, {last.shown}: they seem to count from 1; "
            f"{_ASK}"
        )
    if n_rows >= ROWS_WITH_A_ZERO:
        raise InputError(f"{where}: no answer is 0 in {n_rows} rows: they may count from 0 or from 1; {_ASK}")
    hint = "no answer is 0: if they count from 1, say answers_from: 1 (--columns answers_from=1)"
    return _told(_FROM_0, usable, where, hint)


def _refuse_ambiguous(candidates: list[str], usable: list[tuple[Answer, dict[str, int]]], where: str) -> None:
    for answer, readings in usable:
        for name in candidates:
            if readings[name] != readings[_TEXT]:
                kind = "letter" if name == _LETTERS else "number"
                raise InputError(
                    f"{where}: answers such as '{answer.value}' could be the {kind} of a choice or its text; say which "
                    f"by the key answers_from: {', '.join(ANSWERS_FROM)}"
                )


def _mixture(usable: list[tuple[Answer, dict[str, int]]]) -> str:
    zero = next((answer for answer, readings in usable if readings.keys() == {_FROM_0}), None)
    last = next((answer for answer, readings in usable if readings.keys() == {_FROM_1}), None)
    if zero is not None and last is not None:
        return f"answers are 0 as well as the number of choices: {zero.shown} and {last.shown}; {_ASK}"
    first, first_readings = usable[0]
    other = next((answer for answer, readings in usable if not first_readings.keys() & readings.keys()), None)
    examples = first.shown if other is None else f"{first.shown} and {other.shown}"
    return (
        f"answers are of several kinds: {examples}; write all in the same way, or say which counts by the key "
        f"answers_from: {', '.join(ANSWERS_FROM)}"
    )


def _told(name: str, usable: Sequence[tuple[Answer, Mapping[str, int]]], where: str, remark: str) -> Convention:
    example = next(((answer, readings[name]) for answer, readings in usable if readings.get(name)), None)
    example = example or next(((answer, readings[name]) for answer, readings in usable if name in readings), None)
    note = f"{where}: answers are read as {_MEANINGS[name]}"
    if example is not None:
        answer, index = example
        note += f": {answer.shown} is choice {index + 1}, {str(answer.choices[index])[:40]!r}"
    return Convention(name=name, note=f"{note}; {remark}" if remark else note)
