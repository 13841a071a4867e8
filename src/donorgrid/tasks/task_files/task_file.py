"""A task: its checked keys by language, and what a study must know of it before any document is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Metric
from donorgrid.facts.languages import language_label
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.lm_eval.texts import lm_eval_texts
from donorgrid.tasks.task_files.keys import GenerationKeys, TaskKeys

PLACEHOLDER = "{language}"
_NOT_CONTENT = frozenset({"dataset_kwargs", "dataset_path", "dataset_name", "languages", "language_names", "metadata"})


@dataclass(frozen=True, kw_only=True)
class CellKeys:
    """The keys of a task in one language.

    Attributes
    ----------
    keys
        The checked keys, with ``{language}`` filled in.
    where
        The file's name, for messages.
    folder
        Where relative data files start.
    variables
        Names that templates see beside the columns, such as ``words``.
    adapt
        Turns the rows of one split of a plain data file into documents; None for other files.
    notes
        What was understood of the file, each in one line.
    """

    keys: TaskKeys
    where: str
    folder: Path
    variables: Mapping[str, Any] = field(default_factory=dict)
    adapt: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]] | None = None
    notes: tuple[str, ...] = ()

    @property
    def template_variables(self) -> dict[str, Any]:
        """The names that templates see beside the columns; InputError if lm-eval is needed and not installed."""
        return {**self.variables, **lm_eval_texts(self.keys.from_lm_eval, where=self.where)}


@dataclass(frozen=True, kw_only=True)
class TaskFile:
    """One task in one or more languages.

    Attributes
    ----------
    name, title, licence
        As the file says them.
    languages
        In the file's order.
    metrics
        Those that donorgrid computes.
    metrics_not_read
        Further ones that the file names.
    cells
        Language to keys; empty for a task that lm-eval's own code reads.
    lm_eval_names
        Language to the name of lm-eval's task; empty for a task that donorgrid reads.
    lm_eval_trains
        True if lm-eval's task has a training split in every language.
    lm_eval_rules
        Language to rules, for a task of lm-eval that generates.
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
        """True if the licence forbids commercial use, which is reported before a run."""
        return "-nc" in self.licence.lower() or "non-commercial" in self.licence.lower()

    @property
    def generates(self) -> bool:
        """True if answers are generated (``generate_until``) and not chosen among options."""
        return bool(self.lm_eval_rules) or any(isinstance(cell.keys, GenerationKeys) for cell in self.cells.values())

    @property
    def has_training_split(self) -> bool:
        """True if the task can be a source."""
        if self.lm_eval_names:
            return self.lm_eval_trains
        return all(cell.keys.training_split or cell.keys.hold_out for cell in self.cells.values())

    def cell(self, language: str) -> CellKeys:
        """Returns the keys of one language; InputError, with the languages that there are, for another."""
        cell = self.cells.get(language_label(language))
        if cell is None:
            known = ", ".join(self.languages)
            raise InputError(
                f"task '{self.name}' has no language '{language}'{suggestion(language, known.split(', '))}; "
                f"it has {known}"
            )
        return cell

    def digest_parts(self, language: str) -> dict[str, Any]:
        """Returns what the texts of a cell depend on besides its documents, for work keys: content, never paths."""
        if self.lm_eval_names:
            rules = self.lm_eval_rules.get(language)
            return {"lm_eval": self.lm_eval_names[language]} | ({"rules": rules.as_plain()} if rules else {})
        cell = self.cell(language)
        keys = cell.keys.model_dump(mode="json", exclude=set(_NOT_CONTENT))
        return {"keys": keys, "variables": cell.template_variables}


def at_language(value: Any, name: str) -> Any:
    """Fill in ``{language}``.

    Parameters
    ----------
    value
        A text, or a list or mapping with texts.
    name
        What replaces ``{language}``.

    Returns
    -------
    Any
        The value with every text filled in.
    """
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, name)
    if isinstance(value, list):
        return [at_language(part, name) for part in value]
    if isinstance(value, dict):
        return {key: at_language(part, name) for key, part in value.items()}
    return value
