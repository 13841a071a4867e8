"""``donorgrid import lm-eval``: outputs of lm-eval as item answers, or as totals where no items were logged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.exchange.lm_eval.cells import cells_of, latest
from donorgrid.exchange.lm_eval.files import TaskOutput
from donorgrid.exchange.lm_eval.find import OutputFiles, find_outputs
from donorgrid.exchange.lm_eval.items import PAIR, PROMPT, answers_in
from donorgrid.exchange.lm_eval.subjects import MappedOutputs, map_outputs
from donorgrid.exchange.lm_eval.totals import totals
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.mapping_files import read_mapping
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject, ImportedTable
from donorgrid.exchange.tables.notes import at_chance, unchanged_runs

Tasks = Mapping[ImportedSubject, Mapping[str, TaskOutput]]
"""The results by subject and lm-eval task name."""


@dataclass(frozen=True, kw_only=True)
class _Evaluated:
    """The mapped tasks of every subject, the cells of the tasks, and the mapping."""

    tasks: Tasks
    cells: Mapping[str, Cell]
    mapping: LmEvalMapping

    def base_of(self, subject: ImportedSubject) -> ImportedSubject:
        return next(base for base in self.tasks if base.source is None and base.model == subject.model)


def import_lm_eval(paths: Sequence[Path], *, mapping_file: Path) -> ImportedAnswers | ImportedTable:
    """Reads outputs of lm-eval.

    Parameters
    ----------
    paths : sequence of Path
        Results files, or folders with results files at any depth.
    mapping_file : Path
        Says whose the outputs are and which task is which cell (docs/import.md).

    Returns
    -------
    ImportedAnswers or ImportedTable
        Item answers, paired by document hash and occurrence, if every task has samples. Otherwise totals, without
        paired errors, and a note that says so.

    Raises
    ------
    InputError
        If a file cannot be read, or a base model and its fine-tune were evaluated on different items, prompts, task
        versions, shots or chat templates.
    """
    mapping = read_mapping(mapping_file, LmEvalMapping)
    files = find_outputs(paths)
    try:
        mapped = map_outputs(files.outputs, mapping, roots=[*files.roots, mapping_file.parent])
        cells = cells_of(files.outputs, mapping)
    except InputError as error:
        raise InputError(f"mapping file {mapping_file}: {error}") from None
    evaluated = _Evaluated(tasks=_tasks(mapped, cells), cells=cells, mapping=mapping)
    _check_conditions(evaluated)
    notes = _notes(files, mapped, evaluated)
    missing = [
        f"{name} of {subject}"
        for subject, tasks in evaluated.tasks.items()
        for name, output in tasks.items()
        if not output.samples
    ]
    if missing:
        note = f"no samples of {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        lost = f"{note}: totals only, without paired errors; run lm_eval with --log_samples"
        frame = totals(evaluated.tasks, cells, mapping)
        return ImportedTable(
            frame=frame, notes=(*notes, lost, *unchanged_runs(frame), *at_chance(frame, "score_norm_base"))
        )
    subjects = tuple(sorted(evaluated.tasks, key=lambda subject: subject.source is not None))
    return ImportedAnswers(subjects=subjects, read=_reader(evaluated), notes=(*notes, *_id_notes(evaluated)))


def _tasks(mapped: MappedOutputs, cells: Mapping[str, Cell]) -> dict[ImportedSubject, dict[str, TaskOutput]]:
    tasks = {}
    for subject, outputs in mapped.of.items():
        newest = {name: output for name in cells if (output := latest(outputs, name)) is not None}
        if not newest:
            raise InputError(f"{outputs[0].path}: {subject}: none of the mapped tasks {list(cells)} is there")
        tasks[subject] = newest
    return tasks


def _check_conditions(evaluated: _Evaluated) -> None:
    """Raises InputError if a fine-tune was evaluated under other conditions than its base model."""
    for subject, tasks in evaluated.tasks.items():
        base = evaluated.tasks[evaluated.base_of(subject)]
        for name in tasks.keys() & base.keys():
            for key, value in tasks[name].conditions.items():
                theirs = base[name].conditions[key]
                if value != theirs:
                    raise InputError(
                        f"{tasks[name].file}: task '{name}': {key} is {value} for {subject}, "
                        f"but {theirs} for the base model"
                    )


def _reader(evaluated: _Evaluated) -> Callable[[ImportedSubject], pl.DataFrame]:
    known: dict[str, pl.DataFrame] = {}

    def read(subject: ImportedSubject) -> pl.DataFrame:
        base = evaluated.base_of(subject)
        if base.model not in known:
            known.clear()  # keeps one model's baseline in memory
            known[base.model] = _answers(evaluated, base)
        frame = known[base.model] if subject == base else _answers(evaluated, subject)
        file = next(iter(evaluated.tasks[subject].values())).file
        _check_items(frame, known[base.model], f"{file}: {subject}")
        return ITEM_ANSWERS.check(frame.drop(PAIR, PROMPT))

    return read


def _answers(evaluated: _Evaluated, subject: ImportedSubject) -> pl.DataFrame:
    mapping, parts = evaluated.mapping, []
    for name, output in evaluated.tasks[subject].items():
        cell = evaluated.cells[name]
        filter_name, id_field = mapping.for_task("filter", cell.task), mapping.for_task("id_field", cell.task)
        parts.append(answers_in(output, cell, filter_name=filter_name, id_field=id_field))
    return pl.concat(parts)


def _check_items(answers: pl.DataFrame, base: pl.DataFrame, where: str) -> None:
    """Raises InputError unless both have the same items on shared targets, with equal documents and prompts."""
    target = ["target_task", "target_language"]
    ours = answers.join(base.select(target).unique(), on=target, how="semi")
    theirs = base.join(answers.select(target).unique(), on=target, how="semi")
    key = [*target, "item_id"]
    alone = pl.concat([ours.join(theirs, on=key, how="anti"), theirs.join(ours, on=key, how="anti")])
    if alone.height:
        raise InputError(f"{where}: {alone.height} items are not both its and its base model's, such as {_item(alone)}")
    both = ours.join(theirs.select(*key, PAIR, PROMPT), on=key, suffix="_base")
    for column, compared in ((PAIR, "documents"), (PROMPT, "prompts")):
        other = both.filter(pl.col(column) != pl.col(f"{column}_base"))
        if other.height:
            raise InputError(
                f"{where}: {other.height} {compared} differ from its base model's, such as that of {_item(other)}"
            )


def _item(frame: pl.DataFrame) -> str:
    return "/".join(str(frame[name][0]) for name in ("target_task", "target_language", "item_id"))


def _notes(files: OutputFiles, mapped: MappedOutputs, evaluated: _Evaluated) -> tuple[str, ...]:
    names = dict.fromkeys(name for outputs in mapped.of.values() for output in outputs for name in output.tasks)
    unmatched = [f"task {name}" for name in names if name not in evaluated.cells]
    by_reason: dict[str, list[str]] = {
        "no run names it": [str(path) for path in mapped.unused],
        "no pattern matches it": unmatched,
    }
    for path, reason in {**files.left_out, **_superseded(mapped, evaluated)}.items():
        by_reason.setdefault(reason, []).append(str(path))
    left_out = [f"left out, because {reason}: {', '.join(listed)}" for reason, listed in by_reason.items() if listed]
    again = sum(
        sum(name in output.tasks for output in mapped.of[subject]) > 1
        for subject, tasks in evaluated.tasks.items()
        for name in tasks
    )
    repeated = f"{again} tasks were evaluated more than once by the same subject: the newest results count"
    return (*left_out, *mapped.notes, *([repeated] if again else []))


def _superseded(mapped: MappedOutputs, evaluated: _Evaluated) -> dict[Path, str]:
    """Returns the files of runs of which nothing is used, with the reason."""
    reasons = {}
    for subject, outputs in mapped.of.items():
        for output in outputs:
            mapped_tasks = [task for name, task in output.tasks.items() if name in evaluated.cells]
            if not mapped_tasks:
                reasons[output.path] = "no pattern matches its tasks"
            elif not any(task is used for task in mapped_tasks for used in evaluated.tasks[subject].values()):
                reasons[output.path] = "newer results of the same subject have its tasks"
    return reasons


def _id_notes(evaluated: _Evaluated) -> tuple[str, ...]:
    tasks = dict.fromkeys(cell.task for cell in evaluated.cells.values())
    without = [task for task in tasks if evaluated.mapping.for_task("id_field", task) is None]
    if not without:
        return ()
    return (
        f"no id_field for {', '.join(without)}: items are not aligned across languages, so errors of averages take "
        "languages as independent",
    )
