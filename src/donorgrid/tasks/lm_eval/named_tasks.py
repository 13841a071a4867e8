"""Tasks of the installed lm-eval, by name, through its own code (extra ``donorgrid[lm-eval]``)."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.lm_eval.generation import rules_in
from donorgrid.tasks.task_files.keys import EXTRA_NAME, METRICS
from donorgrid.tasks.task_files.task_file import PLACEHOLDER, TaskFile

LM_EVAL = "lm_eval:"
_TYPES = ("multiple_choice", "generate_until")


@cache
def task_manager() -> Any:
    """lm-eval's index of tasks (half a minute to build); InputError when lm-eval is not installed."""
    try:
        from lm_eval.tasks import TaskManager  # noqa: PLC0415  (an extra, and heavy)
    except ImportError as error:
        raise InputError(f"tasks of lm-eval need lm-eval, which is not installed: pip install {EXTRA_NAME}") from error
    return TaskManager()


def lm_eval_task(pattern: str, *, languages: Sequence[str], manager: Any = None) -> TaskFile:
    """The task of a name such as ``arc_de`` (with ``languages`` naming its one language) or ``arc_{language}``.

    A group of lm-eval (``global_mmlu_{language}``) is the documents of its subtasks, one after the other.
    """
    index = (manager or task_manager()).task_index
    names = _names_by_language(pattern, languages, index)
    by_language = {language: list(_leaves(name, index)) for language, name in names.items()}
    leaves = [leaf for own in by_language.values() for leaf in own]
    generates = _check_types(leaves)
    metrics = {one["metric"] for one in leaves[0][1].get("metric_list", [{"metric": name} for name in METRICS])}
    computed = {"exact_match"} if generates else set(METRICS)
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
        lm_eval_rules={one: _rules(own) for one, own in by_language.items()} if generates else {},
    )


def _check_types(leaves: Sequence[tuple[str, dict[str, Any]]]) -> bool:
    """Whether answers are generated; InputError for another type, or a mixture."""
    types = {leaf: configuration.get("output_type", "generate_until") for leaf, configuration in leaves}
    for leaf, kind in types.items():
        if kind not in _TYPES:
            raise InputError(f"task '{LM_EVAL}{leaf}': output_type is '{kind}'; allowed: {', '.join(_TYPES)}")
    if len(set(types.values())) > 1:
        raise InputError(f"task '{LM_EVAL}{leaves[0][0]}': a group of several output types; one is allowed")
    return "generate_until" in types.values()


def _rules(leaves: Sequence[tuple[str, dict[str, Any]]]) -> GenerationRules:
    """The rules of one language, which all tasks of a group must share."""
    first, *others = (rules_in(configuration, where=f"task '{LM_EVAL}{leaf}'") for leaf, configuration in leaves)
    if any(one != first for one in others):
        raise InputError(f"task '{LM_EVAL}{leaves[0][0]}': the tasks of its group end or read answers differently")
    return first


def _names_by_language(pattern: str, languages: Sequence[str], index: dict[str, Any]) -> dict[str, str]:
    if PLACEHOLDER not in pattern and len(languages) != 1:
        raise InputError(f"task '{LM_EVAL}{pattern}': say its one language, or write {{language}} in its name")
    before, _, after = pattern.partition(PLACEHOLDER)
    found = [
        name[len(before) : len(name) - len(after)]
        for name in index
        if name.startswith(before) and name.endswith(after) and 2 <= len(name) - len(before) - len(after) <= 8
    ]
    wanted = list(languages) or sorted(found)
    names = {one: pattern.replace(PLACEHOLDER, one) for one in wanted}
    missing = [name for name in names.values() if name not in index]
    if missing or not names:
        name = missing[0] if missing else pattern
        raise InputError(f"task '{LM_EVAL}{name}': the installed lm-eval has no such task{suggestion(name, index)}")
    return names


def _leaves(name: str, index: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    configuration = index[name].cfg or {}
    below = configuration.get("task")
    if isinstance(below, list):
        for one in below:
            yield from _leaves(str(one), index)
    else:
        yield name, configuration
