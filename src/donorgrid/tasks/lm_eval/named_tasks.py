"""Finds tasks of the installed lm-eval by name, and reads from their configuration what a study must know."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import METRICS
from donorgrid.facts.languages import spelling_of
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.lm_eval.generation import rules_in
from donorgrid.tasks.task_files.keys import EXTRA_NAME
from donorgrid.tasks.task_files.task_file import PLACEHOLDER, TaskFile

LM_EVAL = "lm_eval:"
"""What the name of a task of lm-eval starts with in a study."""
_TYPES = ("multiple_choice", "generate_until")
_LANGUAGE_LENGTHS = range(2, 9)
Configurations = Sequence[tuple[str, dict[str, Any]]]
"""(name, configuration) of the tasks of one language: one task, or those of a group."""


@cache
def task_registry() -> Any:
    """Returns lm-eval's ``TaskManager`` (half a minute to build); InputError if lm-eval is not installed."""
    try:
        from lm_eval.tasks import TaskManager  # noqa: PLC0415  (an extra, and heavy)
    except ImportError as error:
        raise InputError(f"tasks of lm-eval need lm-eval, which is not installed: pip install {EXTRA_NAME}") from error
    return TaskManager()


def lm_eval_task(pattern: str, *, languages: Sequence[str], registry: Any = None) -> TaskFile:
    """Find a task of lm-eval.

    Parameters
    ----------
    pattern
        A name such as ``arc_de`` (then ``languages`` names its one language) or ``arc_{language}``. A group
        (``global_mmlu_{language}``) is the documents of its subtasks, in their order.
    languages
        The languages wanted; by default every language for which lm-eval has the task.
    registry
        An ``lm_eval.tasks.TaskManager``; by default that of the installed tasks.

    Returns
    -------
    TaskFile
        With ``lm_eval_names`` and no ``cells``.

    Raises
    ------
    InputError
        If lm-eval is not installed, has no such task, or the task's type is not supported.
    """
    index = (registry or task_registry()).task_index
    names = _names_by_language(pattern, languages, index)
    by_language = {language: list(_leaves(name, index)) for language, name in names.items()}
    leaves = [leaf for configurations in by_language.values() for leaf in configurations]
    generates = _generates(leaves)
    defaults = [{"metric": name} for name in METRICS]
    metrics = {entry["metric"] for entry in leaves[0][1].get("metric_list", defaults)}
    computed = {"exact_match"} if generates else set(METRICS)
    rules = {language: _rules(leaves) for language, leaves in by_language.items()} if generates else {}
    return TaskFile(
        name=pattern.replace(PLACEHOLDER, "").strip("_-").replace("__", "_"),
        title=f"{pattern} of lm-eval",
        licence="not stated",
        languages=tuple(names),
        metrics=("acc",) if generates else tuple(metric for metric in METRICS if metric in metrics),
        metrics_not_read=tuple(sorted(map(str, metrics - computed))),
        cells={},
        lm_eval_names=names,
        lm_eval_trains=all(configuration.get("training_split") for _, configuration in leaves),
        lm_eval_rules=rules,
    )


def _generates(leaves: Configurations) -> bool:
    """True if answers are generated; InputError for an unsupported type, or a mixture of types."""
    types = {leaf: configuration.get("output_type", "generate_until") for leaf, configuration in leaves}
    for leaf, output_type in types.items():
        if output_type not in _TYPES:
            raise InputError(f"task '{LM_EVAL}{leaf}': output_type is '{output_type}'; allowed: {', '.join(_TYPES)}")
    if len(set(types.values())) > 1:
        raise InputError(f"task '{LM_EVAL}{leaves[0][0]}': a group of several output types; one is allowed")
    return "generate_until" in types.values()


def _rules(leaves: Configurations) -> GenerationRules:
    """The rules of one language, which all tasks of a group must share."""
    first, *others = (rules_in(configuration, where=f"task '{LM_EVAL}{leaf}'") for leaf, configuration in leaves)
    if any(rules != first for rules in others):
        raise InputError(f"task '{LM_EVAL}{leaves[0][0]}': the tasks of its group end or read answers differently")
    return first


def _names_by_language(pattern: str, languages: Sequence[str], index: dict[str, Any]) -> dict[str, str]:
    if PLACEHOLDER not in pattern and len(languages) != 1:
        raise InputError(f"task '{LM_EVAL}{pattern}': say its one language, or write {{language}} in its name")
    existing = _languages_in(pattern, index) if PLACEHOLDER in pattern else []
    written = spelling_of(languages, existing, where=f"task '{LM_EVAL}{pattern}'")
    names = {language: pattern.replace(PLACEHOLDER, spelling) for language, spelling in written.items()}
    missing = [name for name in names.values() if name not in index]
    if missing or not names:
        name = missing[0] if missing else pattern
        raise InputError(f"task '{LM_EVAL}{name}': the installed lm-eval has no such task{suggestion(name, index)}")
    return names


def _languages_in(pattern: str, index: dict[str, Any]) -> list[str]:
    """The codes for which lm-eval has a task of this pattern, sorted."""
    prefix, _, suffix = pattern.partition(PLACEHOLDER)
    return sorted(
        name[len(prefix) : len(name) - len(suffix)]
        for name in index
        if name.startswith(prefix)
        and name.endswith(suffix)
        and len(name) - len(prefix) - len(suffix) in _LANGUAGE_LENGTHS
    )


def _leaves(name: str, index: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    configuration = index[name].cfg or {}
    subtasks = configuration.get("task")
    if isinstance(subtasks, list):
        for subtask in subtasks:
            yield from _leaves(str(subtask), index)
    else:
        yield name, configuration
