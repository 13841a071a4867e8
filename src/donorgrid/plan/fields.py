"""The kinds of fields that study files are made of."""

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Discriminator, Field

from donorgrid.core.errors import InputError
from donorgrid.core.names import check_name, check_path


def _no_doubles(values: list[Any]) -> list[Any]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{value!r} is listed twice")
    return values


def _word_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "word"


def with_answers_from(task: Any) -> Any:
    """Returns a task written as an object with its key ``answers_from`` (0, 1, letters, text) among its columns."""
    if not isinstance(task, dict) or not isinstance(task.get("columns", {}), dict):
        return task
    columns = {**task.get("columns", {}), **{key: task[key] for key in ("answers_from",) if key in task}}
    given = columns.get("answers_from")
    if isinstance(given, int) and not isinstance(given, bool):
        columns["answers_from"] = str(given)
    others = {key: value for key, value in task.items() if key not in ("columns", "answers_from")}
    return others | ({"columns": columns} if columns or "columns" in task else {})


Unique = AfterValidator(_no_doubles)
WordOrList = Discriminator(_word_or_list)
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Unknown keys are errors; values are never converted to another type."""


def valid_name(value: str) -> str:
    """A name that may become part of a path. Raises ValueError otherwise, as pydantic expects."""
    try:
        return check_name(value, what="name")
    except InputError as error:
        raise ValueError(str(error)) from error


def valid_path(value: str) -> str:
    """The text of a path that a system can open. Raises ValueError otherwise, as pydantic expects."""
    try:
        return check_path(value, what="path")
    except InputError as error:
        raise ValueError(str(error)) from error
