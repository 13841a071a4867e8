"""Generated answers: what ends a generation, how the answer is extracted from the text, and when it is right.

The rules are those of lm-eval 0.4.13: greedy decoding, the text before the first stop string, the filters ``regex``,
``remove_whitespace``, ``lowercase`` and ``uppercase``, and the metric ``exact_match``.
"""

import ast
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.tasks.prompts.bounded_regex import compiled, find_all, substitute
from donorgrid.tasks.prompts.templates import Document, InvalidDocument, render
from donorgrid.tasks.task_files.key_blocks import ExactMatch, FilterStep
from donorgrid.tasks.task_files.keys import GenerationKeys


@dataclass(frozen=True, kw_only=True)
class GenerationRules:
    """How the answers of one cell are generated and judged.

    Attributes
    ----------
    until
        The stop strings.
    max_new_tokens
        The longest answer, in tokens.
    steps
        The filters that extract the answer from the text, in order.
    exact_match
        The options of the comparison with an accepted answer.
    """

    until: tuple[str, ...]
    max_new_tokens: int
    steps: tuple[FilterStep, ...]
    exact_match: ExactMatch

    def answer_in(self, text: str) -> str:
        """Extracts the answer from a generated text; a filter's fallback if there is none."""
        for step in self.steps:
            text = _step(text, step)
        return text

    def is_right(self, text: str, accepted: tuple[str, ...]) -> bool:
        """True if the answer in a generated text equals one of the accepted answers."""
        given = _normalised(self.answer_in(text), self.exact_match)
        return any(_normalised(answer, self.exact_match) == given for answer in accepted)

    def as_plain(self) -> dict[str, object]:
        """Returns the rules as plain data, for work keys."""
        return {
            "until": list(self.until),
            "max_new_tokens": self.max_new_tokens,
            "steps": [step.model_dump(mode="json") for step in self.steps],
            "exact_match": self.exact_match.model_dump(mode="json"),
        }


def rules_of(keys: GenerationKeys, variables: Mapping[str, Any], *, where: str) -> GenerationRules:
    """Read the rules of one cell from its keys.

    Parameters
    ----------
    keys
        The task's keys.
    variables
        What the templates of stop strings may name, such as ``words``.
    where
        The file's name, for messages.

    Returns
    -------
    GenerationRules

    Raises
    ------
    InputError
        If a regular expression or the template of a stop string is wrong.
    """
    chosen = keys.answer_filter or (keys.filter_list[0].name if keys.filter_list else None)
    steps = next((entry.filter for entry in keys.filter_list if entry.name == chosen), ())
    for step in steps:
        _check_pattern(step, where)
    try:
        stops = keys.generation_kwargs.until
        templates = (keys.fewshot_delimiter,) if stops is None else stops
        until = tuple(render(stop, variables) if "{{" in stop else stop for stop in templates)
    except InvalidDocument as error:
        raise InputError(f"{where}: generation_kwargs.until: {error}") from error
    return GenerationRules(
        until=until,
        max_new_tokens=keys.generation_kwargs.max_gen_toks,
        steps=steps,
        exact_match=keys.exact_match,
    )


def accepted_answers(spec: str | int, document: Document) -> tuple[str, ...]:
    """List the right answers of a document.

    Parameters
    ----------
    spec
        ``doc_to_target``: a column, a template, or a fixed number.
    document
        Column name to value.

    Returns
    -------
    tuple of str
        One text, or each of a list.

    Raises
    ------
    InvalidDocument
        If there is none, or one is neither text nor number.
    """
    value: Any = spec
    if isinstance(spec, str):
        value = document[spec] if spec in document else _maybe_list(render(spec, document))
    values = value if isinstance(value, list | tuple) else [value]
    if not values or any(answer is None or isinstance(answer, dict | list) for answer in values):
        raise InvalidDocument(f"doc_to_target: expected a text or a list of texts, found {str(value)[:60]!r}")
    return tuple(map(str, values))


def _maybe_list(text: str) -> Any:
    if not (text.startswith("[") and text.endswith("]")):
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _step(text: str, step: FilterStep) -> str:
    if step.function == "regex":
        return _match(text, step)
    if step.function == "remove_whitespace":
        return text.strip()
    if step.function == "take_first":  # of several generations; here is only one
        return text
    return text.lower() if step.function == "lowercase" else text.upper()


def _match(text: str, step: FilterStep) -> str:
    """The selected match; of several groups the first that is not empty."""
    matches = find_all(step.regex_pattern, text)
    if not matches:
        return step.fallback
    in_range = -len(matches) <= step.group_select < len(matches)
    selected = matches[step.group_select] if in_range else step.fallback
    if isinstance(selected, tuple):
        selected = next((group for group in selected if group), step.fallback)
    return str(selected).strip()


def _check_pattern(step: FilterStep, where: str) -> None:
    try:
        compiled(step.regex_pattern)
    except re.error as error:
        raise InputError(f"{where}: filter_list: regex_pattern {step.regex_pattern!r}: {error}") from error


def _normalised(text: str, options: ExactMatch) -> str:
    for pattern in options.regexes_to_ignore:
        text = substitute(pattern, "", text)
    if options.ignore_case:
        text = text.lower()
    punctuation = string.punctuation if options.ignore_punctuation else ""
    digits = string.digits if options.ignore_numbers else ""
    return text.translate(str.maketrans("", "", punctuation + digits))
