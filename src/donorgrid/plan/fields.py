"""The kinds of fields that study files are made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field


def _no_doubles(values: list[Any]) -> list[Any]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{value!r} is listed twice")
    return values


def _word_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "word"


Unique = AfterValidator(_no_doubles)
WordOrList = Discriminator(_word_or_list)
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Unknown keys are errors; values are never converted to another type."""
