"""Mapping files: YAML that says which lm-eval task is which cell, whose a folder is, what a column holds."""

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell, Source, TrainedControl

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class MixEntry(_Strict):
    """A source that is a weighted mix of cells; weights are relative."""

    mix: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=2)]
    name: Annotated[str, Field(min_length=1)]


class ControlEntry(_Strict):
    """A source that is a control on the cell ``of``.

    lm-eval's few-shot prompts are no such control: their examples come from the target's task, not from one cell.
    """

    control: TrainedControl
    of: str


class RunEntry(_Strict):
    """The subject of a folder: a base model (``baseline: true``), or a fine-tune on ``source``."""

    model: Annotated[str, Field(min_length=1)]
    baseline: bool = False
    source: str | MixEntry | ControlEntry | None = None
    recipe: Annotated[str, Field(min_length=1)] = "unspecified"
    train_seed: Seed = 0
    data_seed: Seed = 0
    train_size: Annotated[int, Field(ge=1)] | None = None
    checkpoint: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _baseline_or_source(self) -> Self:
        if self.baseline == (self.source is not None):
            raise ValueError("needs either 'baseline: true' or a 'source'")
        return self


class ModelEntry(_Strict):
    """Facts of a base model that its name does not tell; ``size_b`` in billions of parameters."""

    family: str | None = None
    size_b: Annotated[float, Field(gt=0)] | None = None


class LmEvalMapping(_Strict):
    """The mapping file of ``donorgrid import lm-eval``; docs/import.md describes its keys."""

    tasks: Annotated[dict[str, str], Field(min_length=1)]
    runs: Annotated[dict[str, RunEntry], Field(min_length=1)]
    id_field: str | dict[str, str] | None = None
    filter: str | dict[str, str] | None = None
    languages: dict[str, str] = Field(default_factory=dict)
    models: dict[str, ModelEntry] = Field(default_factory=dict)

    def for_task(self, key: str, task: str) -> str | None:
        """Returns the value of a key that may differ between tasks.

        Parameters
        ----------
        key : str
            ``id_field`` or ``filter``.
        task : str
            A task of the mapping.

        Returns
        -------
        str or None
            The value for the task; None if the mapping gives none.
        """
        value: str | dict[str, str] | None = getattr(self, key)
        return value.get(task) if isinstance(value, dict) else value


class BaselineRows(_Strict):
    """Rows of a table that hold a base model's scores: those where ``column`` is ``value`` (or empty, for null)."""

    column: str
    value: str | int | float | None = None


class TableMapping(_Strict):
    """The mapping file of ``donorgrid import table``; docs/import.md describes its keys."""

    columns: dict[str, str] = Field(default_factory=dict)
    constants: dict[str, str | int | float] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    percent: tuple[str, ...] | list[str] = ()
    baseline_rows: BaselineRows | None = None


_Mapping = TypeVar("_Mapping", LmEvalMapping, TableMapping)


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in keys:
                    raise InputError(f"line {key_node.start_mark.line + 1}: key '{key}' stands twice")
                keys.add(key)
        return super().construct_mapping(node, deep)


def read_mapping(path: Path, kind: type[_Mapping]) -> _Mapping:
    """Reads a mapping file.

    Parameters
    ----------
    path : Path
        A YAML file.
    kind : type
        ``LmEvalMapping`` or ``TableMapping``.

    Returns
    -------
    LmEvalMapping or TableMapping
        The mapping.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is unknown, duplicate or has a wrong value.
    """
    try:
        written = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise InputError(f"mapping file {path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"mapping file {path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    except InputError as error:
        raise InputError(f"mapping file {path}: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"mapping file {path}: {_yaml_problem(error)}") from error
    if not isinstance(written, dict):
        raise InputError(f"mapping file {path}: expected the keys {list(kind.model_fields)}")
    return make_mapping(written, kind, origin=f"mapping file {path}")


def make_mapping(written: dict[Any, Any], kind: type[_Mapping], *, origin: str) -> _Mapping:
    """Validates a mapping.

    Parameters
    ----------
    written : dict
        The mapping as plain data.
    kind : type
        ``LmEvalMapping`` or ``TableMapping``.
    origin : str
        Where the mapping comes from, for messages.

    Returns
    -------
    LmEvalMapping or TableMapping
        The mapping.

    Raises
    ------
    InputError
        If a key is unknown or has a wrong value.
    """
    try:
        return kind.model_validate(written)
    except ValidationError as error:
        raise InputError(f"{origin}: {_first_problem(error, kind)}") from None


def source_of(entry: str | MixEntry | ControlEntry) -> Source:
    """Returns the source of an entry. Raises InputError if one of its cells is not ``task/language``."""
    if isinstance(entry, str):
        return Source.of_cell(Cell.parse(entry))
    if isinstance(entry, ControlEntry):
        cell = Cell.parse(entry.of)
        return Source.of_control(entry.control, cell)
    total = sum(entry.mix.values())
    parts = tuple((Cell.parse(cell), weight / total) for cell, weight in entry.mix.items())
    return Source(kind="mix", name=entry.name, parts=parts)


def _first_problem(invalid: ValidationError, kind: type[_Mapping]) -> str:
    problems = invalid.errors(include_url=False)
    problem = next((error for error in problems if error["type"] == "extra_forbidden"), problems[0])
    where = ".".join(str(part) for part in problem["loc"] if str(part) not in ("str", "MixEntry", "ControlEntry"))
    if problem["type"] == "extra_forbidden":
        allowed = list(kind.model_fields) if len(problem["loc"]) == 1 else []
        said = f"; allowed are {allowed}{suggestion(str(problem['loc'][-1]), allowed)}" if allowed else ""
        return f"{where}: unknown key{said}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return f"{where}: {'is missing' if problem['type'] == 'missing' else message}"
    return f"{where}: {message}, found {repr(problem['input'])[:60]}"


def _yaml_problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"not YAML: line {error.problem_mark.line + 1}: {error.problem}"
    return f"not YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
