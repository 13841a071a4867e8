"""What the checks of a reply need: JSON schemas, and who identifies its language."""

import json
import warnings
from functools import cache
from importlib import import_module
from typing import Any

from donorgrid.check.replies import IdentifyLanguage, ValidateJson
from donorgrid.core.errors import InputError

EXTRA = "pip install 'donorgrid[guards]'"
"""How to install what the checks need."""
MIN_LETTERS = 12
"""The language of a text with fewer letters is not identified."""
MIN_PROBABILITY = 0.5
"""A language counts as identified when its probability is greater than this."""


@cache
def validator(schema: str, *, where: str) -> ValidateJson:
    """Whether a value satisfies a JSON schema, by the package jsonschema. References to elsewhere are never fetched.

    Parameters
    ----------
    schema : str
        The schema as JSON text.
    where : str
        Where the schema stands, for messages.

    Returns
    -------
    callable
        From a value to True or False.

    Raises
    ------
    InputError
        If jsonschema is not installed or the schema is not valid; when called, if it refers to another document.
    """
    try:
        jsonschema = import_module("jsonschema")
    except ModuleNotFoundError as error:
        raise InputError(f"{where}: a schema needs the package jsonschema: {EXTRA}") from error
    content = json.loads(schema)
    validator_class = jsonschema.validators.validator_for(content)
    try:
        validator_class.check_schema(content)
    except jsonschema.exceptions.SchemaError as error:
        raise InputError(f"{where}: not a JSON schema: {str(error).splitlines()[0]}") from error
    referencing = import_module("referencing")
    checker = validator_class(content, registry=referencing.Registry())

    def validate(value: Any) -> bool:
        try:
            return bool(checker.is_valid(value))
        except referencing.exceptions.Unresolvable as error:
            raise InputError(f"{where}: the schema refers to another document: {error}") from error

    return validate


@cache
def identifier() -> IdentifyLanguage | None:
    """Identifies the language of a text by py3langid, which works offline. None where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            langid = import_module("py3langid.langid")
    except ModuleNotFoundError:
        return None
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)

    def identify(text: str) -> str | None:
        if sum(map(str.isalpha, text)) < MIN_LETTERS:
            return None
        code, probability = model.classify(text)
        return str(code) if probability > MIN_PROBABILITY else None

    return identify


@cache
def known_languages() -> frozenset[str]:
    """The languages that py3langid can identify, as ISO 639-1 codes."""
    langid = import_module("py3langid.langid")
    return frozenset(map(str, langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE).labels))
