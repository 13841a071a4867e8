"""Prompts without a right answer: the rows of a data file, what each reply must be, and which checks that allows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.facts.languages import language_label
from donorgrid.pipeline.check.reply_checks import EXTRA, identifier, known_languages, validator
from donorgrid.tasks.documents.local_files import Rows

PROMPT_COLUMN = "prompt"
_ANSWER_COLUMNS = ("reply", "choices", "answer")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt without a right answer.

    Attributes
    ----------
    id : str
        Its ID; the number of its row where the file has none.
    text : str
        What the model reads.
    language : str or None
        The language that the reply must be in; None where it is not stated.
    wants_json : bool
        Whether the reply must be JSON.
    schema : str or None
        A JSON schema, as JSON text with sorted keys.
    """

    id: str
    text: str
    language: str | None
    wants_json: bool
    schema: str | None


def is_prompts(rows: Rows, columns: Mapping[str, Any]) -> bool:
    """True if the rows of a data file are prompts without answers.

    Parameters
    ----------
    rows : sequence of mapping
        The rows of the file; the first one decides.
    columns : mapping
        The file's column for each of our names, where they differ.

    Returns
    -------
    bool
    """
    names = rows[0].keys()
    return columns.get(PROMPT_COLUMN, PROMPT_COLUMN) in names and not any(
        columns.get(name, name) in names for name in _ANSWER_COLUMNS
    )


def read_prompts(
    rows: Rows, columns: Mapping[str, Any], *, where: str, language: str | None
) -> dict[str | None, list[Prompt]]:
    """The prompts of a data file, by language.

    Parameters
    ----------
    rows : sequence of mapping
        The rows: ``prompt``, and optionally ``id``, ``language``, ``format`` (json or text), ``schema``.
    columns : mapping
        The file's column for each of these names, where they differ.
    where : str
        The file, for messages.
    language : str or None
        The language of rows that state none.

    Returns
    -------
    dict of str or None to list of Prompt
        None holds the prompts whose language is not known.

    Raises
    ------
    InputError
        For the first row that cannot be used, or an ID that stands twice in one language.
    """
    prompts: dict[str | None, list[Prompt]] = {}
    known_ids: set[tuple[str | None, str]] = set()
    for number, row in enumerate(rows):
        prompt = _prompt(row, columns, f"{where}: row {number}", number, language)
        if (prompt.language, prompt.id) in known_ids:
            raise InputError(f"{where}: row {number}: the ID '{prompt.id}' stands earlier; IDs must differ")
        known_ids.add((prompt.language, prompt.id))
        prompts.setdefault(prompt.language, []).append(prompt)
    return prompts


def _prompt(
    row: Mapping[str, Any], columns: Mapping[str, Any], where: str, number: int, language: str | None
) -> Prompt:
    def value(name: str) -> Any:
        content = row.get(columns.get(name, name))
        return None if content == "" else content

    text, form = value(PROMPT_COLUMN), value("format")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: column '{columns.get(PROMPT_COLUMN, PROMPT_COLUMN)}' holds no text")
    if form not in (None, "json", "text"):
        raise InputError(f"{where}: format is '{form}'; allowed: json, text")
    schema = _schema(value("schema"), where)
    return Prompt(
        id=str(number if value("id") is None else value("id")),
        text=text,
        language=language if value("language") is None else language_label(str(value("language"))),
        wants_json=form == "json" or schema is not None,
        schema=schema,
    )


def _schema(written: Any, where: str) -> str | None:
    if written is None:
        return None
    try:
        content = json.loads(written) if isinstance(written, str) else written
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{where}: schema is not JSON: {error}") from error
    if not isinstance(content, dict | bool):
        raise InputError(f"{where}: schema is {str(content)[:60]!r}; expected a JSON object")
    text = json.dumps(content, sort_keys=True)
    validator(text, where=where)
    return text


def checks_for(prompts: Sequence[Prompt]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The checks that prompts of one language allow, and notes on the checks that they do not allow."""
    checks, notes = ["not-empty", "no-loop"], []
    language = prompts[0].language
    if language is not None and identifier() is None:
        notes.append(f"replies in another language are not looked for: py3langid is not installed; {EXTRA}")
    elif language is not None and language.replace("_", "-").split("-")[0].lower() in known_languages():
        checks.append("language")
    elif language is not None:
        notes.append(f"replies in another language than '{language}' are not looked for: py3langid does not know it")
    checks.append("no-refusal")
    if any(prompt.wants_json for prompt in prompts):
        checks.append("json")
    return tuple(checks), tuple(notes)
