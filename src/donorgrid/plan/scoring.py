"""How the options of a study's items are scored, and the arguments of a chat template."""

import json
import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision
from donorgrid.core.yaml_files import Truth, word_as_truth
from donorgrid.plan.fields import STRICT

_RESERVED = frozenset(
    {"conversation", "messages", "tokenize", "add_generation_prompt", "continue_final_message", "chat_template"}
    | {"return_tensors", "return_dict", "padding", "truncation", "max_length", "return_assistant_tokens_mask"}
    | {"tokenizer_kwargs"}
)
"""Arguments that the scoring sets by itself."""


def _checked(arguments: dict[str, Any]) -> dict[str, Any]:
    for name in arguments:
        if name in _RESERVED or not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(f"'{name}' is no argument of a chat template; allowed: names that the template reads")
    return arguments


TemplateValue = Annotated[str | bool | int | float | list[str] | None, BeforeValidator(word_as_truth)]
ChatTemplateArgs = Annotated[dict[str, TemplateValue], AfterValidator(_checked)]
"""Arguments that a chat template reads, such as ``enable_thinking``."""


def template_arguments(given: list[str] | None) -> dict[str, Any] | None:
    """The arguments of a chat template from ``NAME=VALUE`` texts, whose values may be JSON; None for none.

    Raises InputError if a text has no name and value, or the name is not the template's.
    """
    arguments: dict[str, Any] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"--chat-template-args '{text}': expected NAME=VALUE, such as enable_thinking=false")
        try:
            arguments[name] = json.loads(value.lower() if value in ("True", "False") else value)
        except (ValueError, RecursionError):
            arguments[name] = value
    try:
        return TypeAdapter(ChatTemplateArgs).validate_python(arguments) or None
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"--chat-template-args: {problem}") from None


def with_enable_thinking(keys: Any) -> Any:
    """Returns keys with ``enable_thinking`` among ``chat_template_args``, as lm-eval takes either."""
    if not isinstance(keys, dict) or keys.get("enable_thinking") is None:
        return keys
    given = keys.get("chat_template_args") or {}
    if not isinstance(given, dict):
        return keys
    others = {key: value for key, value in keys.items() if key != "enable_thinking"}
    return others | {"chat_template_args": {**given, "enable_thinking": keys["enable_thinking"]}}


class Scoring(BaseModel):
    """How options are scored."""

    model_config = STRICT

    precision: Precision = "fp32"
    exact_and_fast: Truth = False
    chat_template: Truth = False
    chat_template_args: ChatTemplateArgs = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_enable_thinking(cls, value: Any) -> Any:
        return with_enable_thinking(value)

    @model_validator(mode="after")
    def _exact_means_float32(self) -> Self:
        if self.exact_and_fast and self.precision != "fp32":
            raise ValueError(f"'exact_and_fast' keeps the choices of fp32, but 'precision' is '{self.precision}'")
        return self

    @model_validator(mode="after")
    def _arguments_have_a_template(self) -> Self:
        if self.chat_template_args and not self.chat_template:
            raise ValueError("'chat_template_args' are given, but 'chat_template' is false: no template reads them")
        return self
