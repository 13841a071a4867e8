"""The targets of a check with their items: of tasks, presets, plain data files, and prompts without a right answer."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from donorgrid.check.inputs import Role
from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item
from donorgrid.pipeline.check.data_rows import check_texts, read_checked_rows
from donorgrid.pipeline.check.prompts import PROMPT_COLUMN, Prompt, is_prompts, read_prompts
from donorgrid.pipeline.check.request import CheckRequest, TargetSpec
from donorgrid.pipeline.check.target_references import expand, is_data_file, unique_name
from donorgrid.pipeline.prepare.study_items import DOCUMENT_SOURCES
from donorgrid.pipeline.session.records import AnswerTarget, Generation
from donorgrid.tasks import GenerationRules, TaskFile, draw_items, find_task, generation_rules, load_cell
from donorgrid.tasks.documents.local_files import Rows

NO_LANGUAGE = "und"
"""ISO 639's code for a language that is not stated."""


@dataclass(frozen=True, kw_only=True)
class CheckTarget:
    """A target with its items.

    Attributes
    ----------
    name : str
        The name on the page and in messages.
    role : {"on", "guard"}
        Whether adapters are to gain on it, or must not harm it.
    cell : Cell
        Its task and language.
    items : tuple of Item
        Its items.
    norm : bool
        Whether the task has ``acc_norm``.
    generation : Generation, optional
        How answers are generated; None where options are scored.
    rules : GenerationRules, optional
        How generated answers are judged.
    prompts : tuple of Prompt, optional
        For items without a right answer: the prompt of each.
    notes : tuple of str
        What the reader of the result should know.
    """

    name: str
    role: Role
    cell: Cell
    items: tuple[Item, ...]
    norm: bool = False
    generation: Generation | None = None
    rules: GenerationRules | None = None
    prompts: tuple[Prompt, ...] | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def items_digest(self) -> str:
        """The SHA-256 of the items, for work keys."""
        return digest_of([asdict(item) for item in self.items])

    @cached_property
    def for_session(self) -> AnswerTarget:
        """The target as a model session answers it, always the same object."""
        return AnswerTarget(name=self.name, items=self.items, norm=self.norm, generation=self.generation)


def find_targets(request: CheckRequest) -> tuple[CheckTarget, ...]:
    """The targets of a request with their items. InputError, one line, for a target that cannot be used."""
    specs: list[tuple[Role, TargetSpec]] = [("on", spec) for spec in request.on]
    specs += [("guard", spec) for spec in request.guard]
    names: dict[str, str] = {}
    targets: dict[tuple[Role, Cell], CheckTarget] = {}
    for role, written in specs:
        for spec in expand(written, request.folder):
            for target in _targets(role, spec, request, names):
                targets.setdefault((role, target.cell), target)
    return tuple(_with_limit(list(targets.values()), request.items))


def _targets(role: Role, spec: TargetSpec, request: CheckRequest, names: dict[str, str]) -> Iterator[CheckTarget]:
    folder = request.folder
    rows = _rows(spec, folder)
    if rows is not None and is_prompts(rows, spec.columns):
        name = unique_name(Path(spec.reference).stem, spec.reference, folder, names)
        yield from _prompt_targets(role, spec, rows, name, max_new_tokens=request.max_new_tokens)
        return
    languages = spec.languages
    if rows and not languages and spec.columns.get("language", "language") not in rows[0]:
        languages = (NO_LANGUAGE,)
    task = find_task(spec.reference, folder=folder, languages=languages, columns=spec.columns or None)
    task = replace(task, name=unique_name(task.name, spec.reference, folder, names))
    for language in spec.language_codes or task.languages:
        yield _task_target(role, task, language)


def _rows(spec: TargetSpec, folder: Path) -> Rows | None:
    """The rows of a plain data file; None for anything else, also for a path with a language to fill in."""
    if not is_data_file(spec.reference) or "{" in spec.reference:
        return None
    return read_checked_rows(folder / spec.reference, spec.columns)


def _prompt_targets(
    role: Role, spec: TargetSpec, rows: Rows, task: str, *, max_new_tokens: int
) -> Iterator[CheckTarget]:
    if role == "on":
        raise InputError(
            f"--on '{spec.reference}': its column '{PROMPT_COLUMN}' has no right answers beside it; prompts can be "
            "guarded (--guard), not gained on"
        )
    stated = spec.language_codes[0] if len(spec.language_codes) == 1 else None
    for language, prompts in read_prompts(rows, spec.columns, where=spec.reference, language=stated).items():
        if spec.languages and language not in spec.language_codes:
            continue
        cell = Cell(task=task, language=language or NO_LANGUAGE)
        yield CheckTarget(
            name=_name(cell),
            role=role,
            cell=cell,
            items=tuple(Item(id=prompt.id, cell=cell, context=prompt.text, choices=(), answer=0) for prompt in prompts),
            generation=Generation(until=(), max_new_tokens=max_new_tokens),
            prompts=tuple(prompts),
        )


def _task_target(role: Role, task: TaskFile, language: str) -> CheckTarget:
    cell_items = load_cell(task, language, sources=DOCUMENT_SOURCES, allow_generation=True)
    name = _name(cell_items.cell)
    rules = generation_rules(task, language) if task.generates else None
    return CheckTarget(
        name=name,
        role=role,
        cell=cell_items.cell,
        items=cell_items.test,
        norm="acc_norm" in task.metrics,
        # Answers are judged after they are read from the cache, so that a task's rules may change.
        generation=None if rules is None else Generation(until=rules.until, max_new_tokens=rules.max_new_tokens),
        rules=rules,
        notes=tuple(_notes(name, task, cell_items)),
    )


def _notes(name: str, task: TaskFile, cell_items: CellItems) -> Iterator[str]:
    if task.non_commercial:
        yield f"task '{task.name}': licence {task.licence}, not for commercial use"
    if not task.lm_eval_names:
        yield from task.cell(cell_items.cell.language).notes
    counts = cell_items.counts["test"]
    if counts.invalid:
        item_id, reason = counts.invalid[0]
        yield f"{name}: {len(counts.invalid)} of {counts.read} items are not used; the first, '{item_id}': {reason}"


def _with_limit(targets: Sequence[CheckTarget], n_items: int | None) -> Iterator[CheckTarget]:
    """The targets with at most so many items, the same IDs in all languages of a task."""
    tasks = [target.cell.task for target in targets]
    languages = {name: [target for target in targets if target.cell.task == name] for name in dict.fromkeys(tasks)}
    drawn = {name: iter(draw_items([target.items for target in group], n_items)) for name, group in languages.items()}
    for target in targets:
        items = next(drawn[target.cell.task])
        for item in items:
            check_texts(item)
        kept = {item.id for item in items}
        prompts = None if target.prompts is None else tuple(each for each in target.prompts if each.id in kept)
        yield replace(target, items=items, prompts=prompts)


def _name(cell: Cell) -> str:
    return cell.task if cell.language == NO_LANGUAGE else str(cell)
