"""A task: one set of checked keys per language, with what a study must know of it before any document is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Metric
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.lm_eval.texts import lm_eval_texts
from donorgrid.tasks.task_files.keys import GenerationKeys, TaskKeys

PLACEHOLDER = "{language}"
_NOT_CONTENT = frozenset({"dataset_kwargs", "dataset_path", "dataset_name", "languages", "language_names", "metadata"})


@dataclass(frozen=True, kw_only=True)
class CellKeys:
    """What reads one language of a task: its keys, where relative data files lie, and what its templates may name.

    ``adapt`` turns the rows of one split of a plain data file into documents.
    """

    keys: TaskKeys
    where: str
    folder: Path
    variables: Mapping[str, Any] = field(default_factory=dict)
    adapt: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]] | None = None

    @property
    def template_variables(self) -> dict[str, Any]:
        """The names that templates see beside the columns; InputError when lm-eval is needed and not installed."""
        return {**self.variables, **lm_eval_texts(self.keys.from_lm_eval, where=self.where)}


@dataclass(frozen=True, kw_only=True)
class TaskFile:
    """One task in one or more languages.

    ``metrics`` are those that donorgrid computes, ``metrics_not_read`` further ones that the file names. A task that
    lm-eval's own code reads has ``lm_eval_names`` (by language) in the place of ``cells``; ``lm_eval_rules`` if it
    generates.
    """

    name: str
    title: str
    licence: str
    languages: tuple[str, ...]
    metrics: tuple[Metric, ...]
    metrics_not_read: tuple[str, ...] = ()
    cells: Mapping[str, CellKeys] = field(repr=False)
    lm_eval_names: Mapping[str, str] = field(default_factory=dict, repr=False)
    lm_eval_trains: bool = False
    lm_eval_rules: Mapping[str, GenerationRules] = field(default_factory=dict, repr=False)

    @property
    def non_commercial(self) -> bool:
        """Whether the licence forbids commercial use, which a study says before it runs."""
        return "-nc" in self.licence.lower() or "non-commercial" in self.licence.lower()

    @property
    def generates(self) -> bool:
        """Whether answers are generated (``generate_until``) and not chosen among options."""
        return bool(self.lm_eval_rules) or any(isinstance(one.keys, GenerationKeys) for one in self.cells.values())

    @property
    def has_training_split(self) -> bool:
        """Whether the task can serve as a source."""
        if self.lm_eval_names:
            return self.lm_eval_trains
        return all(one.keys.training_split or one.keys.hold_out for one in self.cells.values())

    def cell(self, language: str) -> CellKeys:
        """The keys for one language; InputError names the languages that there are."""
        if language not in self.cells:
            known = ", ".join(self.languages)
            raise InputError(
                f"task '{self.name}' has no language '{language}'{suggestion(language, known.split(', '))}; "
                f"it has {known}"
            )
        return self.cells[language]

    def digest_parts(self, language: str) -> dict[str, Any]:
        """What makes the texts of one cell out of its documents, for work keys: content, never paths."""
        if self.lm_eval_names:
            rules = self.lm_eval_rules.get(language)
            return {"lm_eval": self.lm_eval_names[language]} | ({"rules": rules.as_plain()} if rules else {})
        cell = self.cell(language)
        keys = cell.keys.model_dump(mode="json", exclude=set(_NOT_CONTENT))
        return {"keys": keys, "variables": cell.template_variables}


def at_language(value: Any, name: str) -> Any:
    """The value with every ``{language}`` replaced by ``name``, in lists and mappings too."""
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, name)
    if isinstance(value, list):
        return [at_language(one, name) for one in value]
    if isinstance(value, dict):
        return {key: at_language(one, name) for key, one in value.items()}
    return value
