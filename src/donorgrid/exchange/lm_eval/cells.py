"""Applies a mapping: the cell of every lm-eval task."""

import re
from collections.abc import Mapping, Sequence

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell
from donorgrid.exchange.lm_eval.files import Output, TaskOutput
from donorgrid.exchange.mapping import LmEvalMapping, TaskEntry
from donorgrid.facts.languages import is_language, language_label

PLACEHOLDER = "{language}"


def cells_of(outputs: Sequence[Output], mapping: LmEvalMapping) -> dict[str, Cell]:
    """Returns the cells of lm-eval tasks.

    Parameters
    ----------
    outputs : sequence of Output
        The results files, which name tasks and groups of tasks.
    mapping : LmEvalMapping
        Patterns of task names; the first that matches wins. A pattern that matches a group covers all tasks below it.

    Returns
    -------
    dict of str to Cell
        lm-eval's task name to its cell; tasks that no pattern matches are left out.

    Raises
    ------
    InputError
        If no pattern matches any task, or a pattern does not hold ``{language}`` exactly once and has no language.
    """
    groups = {name: below for output in outputs for name, below in output.groups.items()}
    leaves = dict.fromkeys(name for output in outputs for name in output.tasks)
    cells: dict[str, Cell] = {}
    for pattern, entry in mapping.tasks.items():
        task, fixed = (entry.task, entry.language) if isinstance(entry, TaskEntry) else (entry, None)
        rule = _rule(pattern) if fixed is None else _rule_without_language(pattern)
        written: dict[str, str] = {}
        for name in (*groups, *leaves):
            match = rule.fullmatch(name)
            language = _language_of(match, fixed, mapping) if match else None
            if match and language is not None:
                if fixed is None:
                    _check_spelling(written, language, match["language"], mapping, pattern)
                for leaf in tasks_below(name, groups):
                    cells.setdefault(leaf, Cell(task=task, language=language))
    cells = {name: cell for name, cell in cells.items() if name in leaves}
    if not cells:
        there = ", ".join(leaves) or "none"
        near = suggestion(next(iter(mapping.tasks)).replace(PLACEHOLDER, "en"), leaves)
        raise InputError(f"tasks: no pattern {list(mapping.tasks)} matches a task of the outputs ({there}){near}")
    return cells


def _check_spelling(written: dict[str, str], language: str, name: str, mapping: LmEvalMapping, pattern: str) -> None:
    """Notes how a pattern's tasks spell a language; InputError for a second spelling that the mapping does not name."""
    if written.setdefault(language, name) != name and not {name, written[language]} <= set(mapping.languages):
        raise InputError(
            f"tasks: pattern '{pattern}' matches '{written[language]}' and '{name}', which are the same language, "
            f"'{language}'; write 'languages: {{{name}: {language}-x-NAME}}' to keep them apart, or another pattern"
        )


def _rule(pattern: str) -> re.Pattern[str]:
    if pattern.count(PLACEHOLDER) != 1:
        raise InputError(
            f"tasks: pattern '{pattern}': {{language}} must stand in it once, or its value must be "
            "{task: NAME, language: CODE}"
        )
    prefix, suffix = pattern.split(PLACEHOLDER)
    parts = [re.escape(part).replace(r"\*", ".*") for part in (prefix, suffix)]
    return re.compile(rf"{parts[0]}(?P<language>[A-Za-z]+(?:[-_][A-Za-z0-9]+)*){parts[1]}", re.DOTALL)


def _rule_without_language(pattern: str) -> re.Pattern[str]:
    if PLACEHOLDER in pattern:
        raise InputError(f"tasks: pattern '{pattern}': the language is in the name; leave out the key 'language'")
    return re.compile(re.escape(pattern).replace(r"\*", ".*"), re.DOTALL)


def _language_of(match: re.Match[str], fixed: str | None, mapping: LmEvalMapping) -> str | None:
    """Returns the canonical code of a task's language; None where the name has none and the mapping names none."""
    if fixed is not None:
        return language_label(fixed)
    name = match["language"]
    written = mapping.languages.get(name)
    if written is not None:
        return language_label(written)
    return language_label(name) if is_language(name) else None


def tasks_below(name: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns the tasks of a group at any depth.

    Parameters
    ----------
    name : str
        A group, or a task, which stands for itself.
    groups : mapping of str to sequence of str
        The groups and tasks directly below each group.

    Returns
    -------
    list of str
        The tasks, each once, in the order of the groups.
    """
    tasks: dict[str, None] = {}
    entered: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop(0)
        if current not in groups:
            tasks[current] = None
        elif current not in entered:
            entered.add(current)
            waiting = [*groups[current], *waiting]
    return list(tasks)


def latest(outputs: Sequence[Output], task: str) -> TaskOutput | None:
    """Returns a task's newest results, as lm-eval's own readers do.

    Parameters
    ----------
    outputs : sequence of Output
        The results files of one subject.
    task : str
        lm-eval's task name.

    Returns
    -------
    TaskOutput or None
        The results; None if no file has the task.
    """
    with_task = [output for output in outputs if task in output.tasks]
    return max(with_task, key=lambda output: output.order).tasks[task] if with_task else None
