"""Applies a mapping: the cell of every lm-eval task, and the subject of every results file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell
from donorgrid.exchange.lm_eval.files import Output, TaskOutput
from donorgrid.exchange.mapping import LmEvalMapping, RunEntry, source_of
from donorgrid.exchange.records import ImportedSubject
from donorgrid.facts.languages import language_facts
from donorgrid.facts.models import model_facts

PLACEHOLDER = "{language}"


@dataclass(frozen=True, kw_only=True)
class MappedOutputs:
    """The outputs of every subject, and the files that the mapping does not name."""

    of: Mapping[ImportedSubject, tuple[Output, ...]]
    unused: tuple[Path, ...]


def map_outputs(outputs: Sequence[Output], mapping: LmEvalMapping, *, roots: Sequence[Path]) -> MappedOutputs:
    """Assigns every output to a subject.

    Parameters
    ----------
    outputs : sequence of Output
        The results files.
    mapping : LmEvalMapping
        The key of a run is a folder or file below one of ``roots``; the innermost folder wins.
    roots : sequence of Path
        Folders that the keys are relative to.

    Returns
    -------
    MappedOutputs
        The outputs by subject.

    Raises
    ------
    InputError
        If a run has no output, two runs are the same subject, or a model has not exactly one baseline.
    """
    runs = {root / key: key for key in mapping.runs for root in roots}
    by_key: dict[str, list[Output]] = {key: [] for key in mapping.runs}
    unused = []
    for output in outputs:
        above = (output.path, *output.path.parents)
        key = next((runs[path] for path in above if path in runs), None)
        if key is None:
            unused.append(output.path)
        else:
            by_key[key].append(output)
    for key, outputs_of_run in by_key.items():
        if not outputs_of_run:
            looked = ", ".join(str(root) for root in roots)
            raise InputError(f"runs: '{key}' names no output of lm-eval; looked beneath {looked}")
    subjects = _subjects(by_key, mapping)
    return MappedOutputs(of={subjects[key]: tuple(of_run) for key, of_run in by_key.items()}, unused=tuple(unused))


def _subjects(by_key: Mapping[str, list[Output]], mapping: LmEvalMapping) -> dict[str, ImportedSubject]:
    bases: dict[str, ImportedSubject] = {}
    for key, entry in mapping.runs.items():
        if entry.baseline and entry.model in bases:
            raise InputError(f"runs: '{key}': model '{entry.model}' has two runs with 'baseline: true'")
        if entry.baseline:
            bases[entry.model] = _subject(entry, by_key[key][0], mapping)
    subjects: dict[str, ImportedSubject] = {}
    for key, entry in mapping.runs.items():
        if entry.model not in bases:
            raise InputError(
                f"runs: model '{entry.model}' has no run with 'baseline: true'; deltas need its base model"
            )
        base = bases[entry.model]
        subject = base if entry.baseline else _trained(entry, base)
        if subject in subjects.values():
            raise InputError(f"runs: '{key}' is a second run of {subject}; they must differ in source, recipe or seeds")
        subjects[key] = subject
    for model in bases:
        if all(subject.source is None for subject in subjects.values() if subject.model == model):
            raise InputError(f"runs: model '{model}' has only its base model; add a run with a 'source'")
    return subjects


def _subject(entry: RunEntry, output: Output, mapping: LmEvalMapping) -> ImportedSubject:
    known = mapping.models.get(entry.model)
    facts = model_facts(output.pretrained or entry.model, n_parameters=output.n_parameters, model_type="")
    return ImportedSubject(
        model=entry.model,
        source=None,
        family=(known.family if known else None) or facts.family or None,
        size_b=(known.size_b if known else None) or facts.size_b or None,
    )


def _trained(entry: RunEntry, base: ImportedSubject) -> ImportedSubject:
    if entry.source is None:
        raise InputError(f"runs: a run of '{entry.model}' has no source")
    return ImportedSubject(
        model=entry.model,
        source=source_of(entry.source),
        recipe=entry.recipe,
        train_seed=entry.train_seed,
        data_seed=entry.data_seed,
        train_size=entry.train_size,
        checkpoint=entry.checkpoint,
        family=base.family,
        size_b=base.size_b,
    )


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
        If no pattern matches any task, or a pattern does not hold ``{language}`` exactly once.
    """
    groups = {name: below for output in outputs for name, below in output.groups.items()}
    leaves = dict.fromkeys(name for output in outputs for name in output.tasks)
    cells: dict[str, Cell] = {}
    for pattern, task in mapping.tasks.items():
        rule = _rule(pattern)
        for name in (*groups, *leaves):
            match = rule.fullmatch(name)
            language = _language(match, mapping) if match else None
            if language is not None:
                for leaf in _beneath(name, groups):
                    cells.setdefault(leaf, Cell(task=task, language=language))
    cells = {name: cell for name, cell in cells.items() if name in leaves}
    if not cells:
        there = ", ".join(leaves) or "none"
        near = suggestion(next(iter(mapping.tasks)).replace(PLACEHOLDER, "en"), leaves)
        raise InputError(f"tasks: no pattern {list(mapping.tasks)} matches a task of the outputs ({there}){near}")
    return cells


def _rule(pattern: str) -> re.Pattern[str]:
    if pattern.count(PLACEHOLDER) != 1:
        raise InputError(f"tasks: pattern '{pattern}': {{language}} must stand in it once")
    prefix, suffix = pattern.split(PLACEHOLDER)
    parts = [re.escape(part).replace(r"\*", ".*") for part in (prefix, suffix)]
    return re.compile(rf"{parts[0]}(?P<language>[A-Za-z]+(?:[-_][A-Za-z0-9]+)*){parts[1]}", re.DOTALL)


def _language(match: re.Match[str], mapping: LmEvalMapping) -> str | None:
    """Returns the language in a task's name, renamed by the mapping; None for an unknown language."""
    name = match["language"]
    return mapping.languages.get(name) or (name if language_facts(name) else None)


def _beneath(name: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    if name not in groups:
        return [name]
    return [leaf for below in groups[name] if below != name for leaf in _beneath(below, groups)]


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
    return max(with_task, key=lambda output: output.date).tasks[task] if with_task else None
