"""Which lm-eval task is which cell, and which results file is whose, as a mapping says."""

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
    """The outputs of every subject, and what the mapping leaves out."""

    of: Mapping[ImportedSubject, tuple[Output, ...]]
    unused: tuple[Path, ...]


def map_outputs(outputs: Sequence[Output], mapping: LmEvalMapping, *, roots: Sequence[Path]) -> MappedOutputs:
    """Who gave which output. A run's key is a folder or file beneath one of ``roots``; the nearest folder wins.

    Raises InputError when a run has no output, two runs are the same subject, or a model has not exactly one base.
    """
    places = {root / key: (key, entry) for key, entry in mapping.runs.items() for root in roots}
    by_key: dict[str, list[Output]] = {key: [] for key in mapping.runs}
    unused = []
    for output in outputs:
        above = (output.path, *output.path.parents)
        found = next((places[one] for one in above if one in places), None)
        if found is None:
            unused.append(output.path)
        else:
            by_key[found[0]].append(output)
    for key, own in by_key.items():
        if not own:
            looked = ", ".join(str(root) for root in roots)
            raise InputError(f"runs: '{key}' names no output of lm-eval; looked beneath {looked}")
    subjects = _subjects(by_key, mapping)
    return MappedOutputs(of={subjects[key]: tuple(own) for key, own in by_key.items()}, unused=tuple(unused))


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
        one = base if entry.baseline else _trained(entry, base)
        if one in subjects.values():
            raise InputError(f"runs: '{key}' is a second run of {one}; they must differ in source, recipe or seeds")
        subjects[key] = one
    for model in bases:
        if all(one.source is None for one in subjects.values() if one.model == model):
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
    """The cell of each lm-eval task (by its name) that a pattern of the mapping matches; the first pattern wins.

    A pattern that matches a group takes all tasks beneath the group. InputError when nothing is matched at all.
    """
    groups = {name: below for output in outputs for name, below in output.groups.items()}
    leaves = dict.fromkeys(name for output in outputs for name in output.tasks)
    cells: dict[str, Cell] = {}
    for pattern, task in mapping.tasks.items():
        rule = _rule(pattern)
        for name in (*groups, *leaves):
            found = rule.fullmatch(name)
            language = _language(found, mapping) if found else None
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
    before, after = pattern.split(PLACEHOLDER)
    parts = [re.escape(part).replace(r"\*", ".*") for part in (before, after)]
    return re.compile(rf"{parts[0]}(?P<language>[A-Za-z]+(?:[-_][A-Za-z0-9]+)*){parts[1]}", re.DOTALL)


def _language(found: re.Match[str], mapping: LmEvalMapping) -> str | None:
    """The language as it stands in the task's name, renamed by the mapping; None when it is none that is known."""
    name = found["language"]
    return mapping.languages.get(name) or (name if language_facts(name) else None)


def _beneath(name: str, groups: Mapping[str, Sequence[str]]) -> list[str]:
    if name not in groups:
        return [name]
    return [leaf for below in groups[name] if below != name for leaf in _beneath(below, groups)]


def latest(outputs: Sequence[Output], task: str) -> TaskOutput | None:
    """A task's newest results among the files of one subject, as lm-eval's own readers choose; None without any."""
    having = [output for output in outputs if task in output.tasks]
    return max(having, key=lambda one: one.date).tasks[task] if having else None
