"""Mapping files: YAML that says which lm-eval task is which cell, whose a folder is, what a column holds."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from donorgrid.core.records import STRONGEST, Cell, Source, TrainedControl
from donorgrid.core.yaml_files import Truth
from donorgrid.facts.languages import find_language, language_label

Seed = Annotated[int, Field(ge=0, lt=2**31)]


_LANGUAGE_COLUMNS = ("source_language", "target_language", "fine_tuned_language", "eval_language")


def _known_language(name: str) -> str:
    if find_language(name) is None:
        raise ValueError(f"'{name}' is no language; allowed: a code (de), a name (German), or CODE-x-NAME (de-x-easy)")
    return name


LanguageName = Annotated[str, AfterValidator(_known_language)]
"""A language that somebody knows: a typo would be a cell of its own."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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
    baseline: Truth = False
    source: str | MixEntry | ControlEntry | None = None
    recipe: Annotated[str, Field(min_length=1)] = "unspecified"
    train_seed: Seed = 0
    data_seed: Seed = 0
    train_size: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    checkpoint: Annotated[float, Field(gt=0)] | None = None
    strength: Annotated[float, Field(ge=0, le=STRONGEST)] | None = None

    @model_validator(mode="after")
    def _baseline_or_source(self) -> Self:
        if self.baseline == (self.source is not None):
            raise ValueError("needs either 'baseline: true' or a 'source'")
        return self


class ModelEntry(_Strict):
    """Facts of a base model that its name does not tell; ``size_b`` in billions of parameters."""

    family: str | None = None
    size_b: Annotated[float, Field(gt=0)] | None = None


class TaskEntry(_Strict):
    """The task of lm-eval tasks whose names hold no language."""

    task: Annotated[str, Field(min_length=1)]
    language: LanguageName


class LmEvalMapping(_Strict):
    """The mapping file of ``donorgrid import lm-eval``; docs/import.md describes its keys."""

    tasks: Annotated[dict[str, str | TaskEntry], Field(min_length=1)]
    runs: Annotated[dict[str, RunEntry], Field(min_length=1)]
    id_field: str | dict[str, str] | None = None
    filter: str | dict[str, str] | None = None
    languages: dict[str, LanguageName] = Field(default_factory=dict)
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

    @field_validator("values")
    @classmethod
    def _known_languages(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for column in _LANGUAGE_COLUMNS:
            for language in values.get(column, {}).values():
                _known_language(language)
        return values


def source_of(entry: str | MixEntry | ControlEntry) -> Source:
    """Returns the source of an entry. Raises InputError if one of its cells is not ``task/language``."""
    if isinstance(entry, str):
        return Source.of_cell(_cell(entry))
    if isinstance(entry, ControlEntry):
        cell = _cell(entry.of)
        return Source.of_control(entry.control, cell)
    total = sum(entry.mix.values())
    parts = tuple((_cell(cell), weight / total) for cell, weight in entry.mix.items())
    return Source(kind="mix", name=entry.name, parts=parts)


def _cell(written: str) -> Cell:
    cell = Cell.parse(written)
    return Cell(task=cell.task, language=language_label(cell.language))
