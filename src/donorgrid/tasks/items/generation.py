"""Generated answers: what ends a generation, how the answer is taken out of the text, and when it is right.

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
from donorgrid.tasks.prompts.templates import Document, InvalidDocument, render
from donorgrid.tasks.task_files.key_blocks import ExactMatch, FilterStep
from donorgrid.tasks.task_files.keys import GenerationKeys


@dataclass(frozen=True, kw_only=True)
class GenerationRules:
    """How one cell's answers are generated and judged.

    ``until`` are the stop strings, ``max_new_tokens`` the longest answer; ``steps`` are applied to the text in order.
    """

    until: tuple[str, ...]
    max_new_tokens: int
    steps: tuple[FilterStep, ...]
    exact_match: ExactMatch

    def answer_in(self, text: str) -> str:
        """The answer taken out of a generated text; a filter's fallback where there is none."""
        for step in self.steps:
            text = _step(text, step)
        return text

    def is_right(self, text: str, accepted: tuple[str, ...]) -> bool:
        """Whether the answer in a generated text equals one of the accepted ones."""
        found = _plain(self.answer_in(text), self.exact_match)
        return any(_plain(one, self.exact_match) == found for one in accepted)

    def as_plain(self) -> dict[str, object]:
        """The rules as plain data, for work keys."""
        return {
            "until": list(self.until),
            "max_new_tokens": self.max_new_tokens,
            "steps": [one.model_dump(mode="json") for one in self.steps],
            "exact_match": self.exact_match.model_dump(mode="json"),
        }


def rules_of(keys: GenerationKeys, variables: Mapping[str, Any], *, where: str) -> GenerationRules:
    """The rules of one cell; stop strings may be templates over the cell's ``words``. InputError when one cannot be."""
    chosen = keys.answer_filter or (keys.filter_list[0].name if keys.filter_list else None)
    steps = next((entry.filter for entry in keys.filter_list if entry.name == chosen), ())
    for step in steps:
        _check_pattern(step, where)
    try:
        stops = keys.generation_kwargs.until
        written = (keys.fewshot_delimiter,) if stops is None else stops
        until = tuple(render(one, variables) if "{{" in one else one for one in written)
    except InvalidDocument as error:
        raise InputError(f"{where}: generation_kwargs.until: {error}") from error
    return GenerationRules(
        until=until,
        max_new_tokens=keys.generation_kwargs.max_gen_toks,
        steps=steps,
        exact_match=keys.exact_match,
    )


def accepted_answers(spec: str | int, document: Document) -> tuple[str, ...]:
    """The right answers of a document as texts: one, or each of a list."""
    value: Any = spec
    if isinstance(spec, str):
        value = document[spec] if spec in document else _maybe_list(render(spec, document))
    values = value if isinstance(value, list | tuple) else [value]
    if not values or any(one is None or isinstance(one, dict | list) for one in values):
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
    if step.function == "take_first":  # of several generations; there is one
        return text
    return text.lower() if step.function == "lowercase" else text.upper()


def _match(text: str, step: FilterStep) -> str:
    """The chosen match; of several groups the first that is not empty."""
    found = re.findall(step.regex_pattern, text)
    if not found:
        return step.fallback
    one = found[step.group_select] if -len(found) <= step.group_select < len(found) else step.fallback
    if isinstance(one, tuple):
        one = next((group for group in one if group), step.fallback)
    return str(one).strip()


def _check_pattern(step: FilterStep, where: str) -> None:
    try:
        re.compile(step.regex_pattern)
    except re.error as error:
        raise InputError(f"{where}: filter_list: regex_pattern {step.regex_pattern!r}: {error}") from error


def _plain(text: str, options: ExactMatch) -> str:
    for pattern in options.regexes_to_ignore:
        text = re.sub(pattern, "", text)
    if options.ignore_case:
        text = text.lower()
    dropped = (string.punctuation if options.ignore_punctuation else "") + (
        string.digits if options.ignore_numbers else ""
    )
    return text.translate(str.maketrans("", "", dropped))
