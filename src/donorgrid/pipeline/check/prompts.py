"""Prompts without a right answer: the rows of a data file, what each reply must be, and who tells languages apart."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from donorgrid.check.replies import IdentifyLanguage, ValidateJson
from donorgrid.core.errors import InputError
from donorgrid.tasks.documents.local_files import Rows

PROMPT_COLUMN = "prompt"
_ANSWERED = ("reply", "choices", "answer")
_EXTRA = "pip install 'donorgrid[guards]'"
FEWEST_LETTERS = 12
"""With fewer letters no language can be told."""
SUREST = 0.5
"""A language is told when the identifier gives it more than this probability."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One prompt: its language where it is said, whether JSON is asked for, and the schema as canonical text."""

    id: str
    prompt: str
    language: str | None
    wants_json: bool
    schema: str | None


def is_prompts(rows: Rows, columns: Mapping[str, Any]) -> bool:
    """Whether the rows are prompts without answers."""
    has = rows[0].keys()
    return columns.get(PROMPT_COLUMN, PROMPT_COLUMN) in has and not any(
        columns.get(one, one) in has for one in _ANSWERED
    )


def read_prompts(
    rows: Rows, columns: Mapping[str, Any], *, where: str, language: str | None
) -> dict[str | None, list[Asked]]:
    """The prompts by language. Columns: prompt; optionally id, language, format (json or text), schema.

    ``language`` is that of a file without such a column. InputError names the row that cannot be used.
    """
    found: dict[str | None, list[Asked]] = {}
    seen: set[tuple[str | None, str]] = set()
    for place, row in enumerate(rows):
        one = _asked(row, columns, f"{where}: row {place}", place, language)
        if (one.language, one.id) in seen:
            raise InputError(f"{where}: row {place}: the ID '{one.id}' stands earlier; IDs must differ")
        seen.add((one.language, one.id))
        found.setdefault(one.language, []).append(one)
    return found


def _asked(row: Mapping[str, Any], columns: Mapping[str, Any], where: str, place: int, language: str | None) -> Asked:
    def value(name: str) -> Any:
        found = row.get(columns.get(name, name))
        return None if found == "" else found

    prompt, form = value(PROMPT_COLUMN), value("format")
    if not isinstance(prompt, str) or not prompt.strip():
        raise InputError(f"{where}: column '{columns.get(PROMPT_COLUMN, PROMPT_COLUMN)}' holds no text")
    if form not in (None, "json", "text"):
        raise InputError(f"{where}: format is '{form}'; allowed: json, text")
    schema = _schema(value("schema"), where)
    return Asked(
        id=str(place if value("id") is None else value("id")),
        prompt=prompt,
        language=language if value("language") is None else str(value("language")),
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


@cache
def validator(schema: str, *, where: str) -> ValidateJson:
    """Whether a value is as a JSON schema asks (the package jsonschema). References to elsewhere are never fetched."""
    try:
        jsonschema = import_module("jsonschema")
    except ModuleNotFoundError as error:
        raise InputError(f"{where}: a schema needs the package jsonschema: {_EXTRA}") from error
    content = json.loads(schema)
    kind = jsonschema.validators.validator_for(content)
    try:
        kind.check_schema(content)
    except jsonschema.exceptions.SchemaError as error:
        raise InputError(f"{where}: not a JSON schema: {str(error).splitlines()[0]}") from error
    referencing = import_module("referencing")
    checker = kind(content, registry=referencing.Registry())

    def validate(value: Any) -> bool:
        try:
            return bool(checker.is_valid(value))
        except referencing.exceptions.Unresolvable as error:
            raise InputError(f"{where}: the schema refers to another document: {error}") from error

    return validate


@cache
def identifier() -> IdentifyLanguage | None:
    """The language of a text by py3langid, which works offline; None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            langid = import_module("py3langid.langid")
    except ModuleNotFoundError:
        return None
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)

    def identify(text: str) -> str | None:
        if sum(map(str.isalpha, text)) < FEWEST_LETTERS:
            return None
        code, probability = model.classify(text)
        return str(code) if probability > SUREST else None

    return identify


@cache
def known_languages() -> frozenset[str]:
    """The languages that the identifier can tell."""
    langid = import_module("py3langid.langid")
    return frozenset(map(str, langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE).labels))


def wanted_checks(asked: Sequence[Asked]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(checks that these prompts allow, notes on those that they do not)."""
    checks, notes = ["not-empty", "no-loop"], []
    language = asked[0].language
    if language is not None and identifier() is None:
        notes.append(f"replies in another language are not looked for: py3langid is not installed; {_EXTRA}")
    elif language is not None and language.replace("_", "-").split("-")[0].lower() in known_languages():
        checks.append("language")
    elif language is not None:
        notes.append(f"replies in another language than '{language}' are not looked for: py3langid does not know it")
    checks.append("no-refusal")
    if any(one.wants_json for one in asked):
        checks.append("json")
    return tuple(checks), tuple(notes)
