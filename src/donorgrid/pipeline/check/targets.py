"""From what a user names as a target to items: tasks, presets, plain data files, prompts without a right answer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

from donorgrid.check.records import Role
from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item
from donorgrid.pipeline.check.data_rows import check_texts, read_checked_rows
from donorgrid.pipeline.check.prompts import PROMPT_COLUMN, Asked, is_prompts, read_prompts
from donorgrid.pipeline.prepare.study import DOCUMENT_SOURCES
from donorgrid.plan.presets import PRESETS, study_preset
from donorgrid.tasks import GenerationRules, TaskFile, catalog_names, find_task, generation_rules, load_cell
from donorgrid.tasks.documents.local_files import FORMATS, Rows
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL
from donorgrid.tasks.task_files.plain import Columns

NO_LANGUAGE = "und"
"""ISO 639's code for a language that is not said."""
_LANGUAGES = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*(,[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*)*")
_WILD = frozenset("*?[")


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """A target as it was written: a task, a preset or a data file, its languages (none: all it has), its columns."""

    reference: str
    languages: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)

    @classmethod
    def parse(cls, written: str) -> "TargetSpec":
        """Read ``NAME``, ``NAME:de,fr`` or a path, which may hold ``*``."""
        before, colon, after = written.rpartition(":")
        if colon and before and f"{before}:" != LM_EVAL and _LANGUAGES.fullmatch(after):
            return cls(reference=before, languages=tuple(dict.fromkeys(after.split(","))))
        return cls(reference=written)


@dataclass(frozen=True, kw_only=True)
class CheckTarget:
    """A target with its items.

    ``rules`` judge generated answers, ``asked`` says by item what a prompt without a right answer asks for; with
    neither, options are scored, by ``acc_norm`` where ``norm``.
    """

    name: str
    role: Role
    cell: Cell
    items: tuple[Item, ...]
    norm: bool = False
    rules: GenerationRules | None = None
    asked: tuple[Asked, ...] | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def items_digest(self) -> str:
        """What the items are, for work keys."""
        return digest_of([asdict(item) for item in self.items])

    @property
    def generates(self) -> bool:
        """Whether its answers are generated."""
        return self.rules is not None or self.asked is not None


def find_targets(
    on: Sequence[TargetSpec], guard: Sequence[TargetSpec], *, folder: Path, most_items: int | None
) -> tuple[CheckTarget, ...]:
    """All targets, each with at most ``most_items`` items. InputError, one line, for what cannot be used."""
    written: list[tuple[Role, TargetSpec]] = [("on", spec) for spec in on] + [("guard", spec) for spec in guard]
    names: dict[str, str] = {}
    found: dict[tuple[Role, Cell], CheckTarget] = {}
    for role, spec in written:
        for single in _single(spec, folder):
            for target in _targets(role, single, folder, names):
                found.setdefault((role, target.cell), _cut(target, most_items))
    return tuple(found.values())


def _single(spec: TargetSpec, folder: Path) -> Iterator[TargetSpec]:
    """The files of a pattern, the tasks of a preset, or what is written itself."""
    if _is_file(spec.reference) and _WILD & set(spec.reference):
        given = Path(spec.reference)
        start = Path(given.anchor) if given.is_absolute() else folder
        paths = sorted(path for path in start.glob(str(given.relative_to(given.anchor))) if path.is_file())
        if not paths:
            raise InputError(f"target '{spec.reference}': no file of that form in {start}")
        yield from (
            replace(spec, reference=str(path.relative_to(start) if start == folder else path)) for path in paths
        )
    elif spec.reference in PRESETS and spec.reference not in catalog_names():
        preset = study_preset(spec.reference)
        languages = spec.languages or tuple(preset["languages"])
        yield from (replace(spec, reference=task, languages=languages) for task in preset["tasks"])
    else:
        yield spec


def _targets(role: Role, spec: TargetSpec, folder: Path, names: dict[str, str]) -> Iterator[CheckTarget]:
    rows = _rows_of(spec, folder)
    if rows is not None and is_prompts(rows, spec.columns):
        yield from _prompt_targets(role, spec, rows, _unique(Path(spec.reference).stem, spec.reference, folder, names))
        return
    languages = spec.languages
    if rows and not languages and spec.columns.get("language", "language") not in rows[0]:
        languages = (NO_LANGUAGE,)
    task = find_task(spec.reference, folder=folder, languages=languages, columns=spec.columns or None)
    task = replace(task, name=_unique(task.name, spec.reference, folder, names))
    for language in spec.languages or task.languages:
        yield _target(role, task, language)


def _rows_of(spec: TargetSpec, folder: Path) -> Rows | None:
    """The rows of a plain data file; None for anything else, also a path with a language to fill in."""
    if not _is_file(spec.reference) or "{" in spec.reference:
        return None
    return read_checked_rows(folder / spec.reference, spec.columns)


def _is_file(reference: str) -> bool:
    return Path(reference).suffix in FORMATS and not reference.startswith(LM_EVAL)


def _prompt_targets(role: Role, spec: TargetSpec, rows: Rows, task: str) -> Iterator[CheckTarget]:
    if role == "on":
        raise InputError(
            f"--on '{spec.reference}': its column '{PROMPT_COLUMN}' has no right answers beside it; prompts can be "
            "guarded (--guard), not gained on"
        )
    stated = spec.languages[0] if len(spec.languages) == 1 else None
    for language, asked in read_prompts(rows, spec.columns, where=spec.reference, language=stated).items():
        if spec.languages and language not in spec.languages:
            continue
        cell = Cell(task=task, language=language or NO_LANGUAGE)
        items = tuple(Item(id=one.id, cell=cell, context=one.prompt, choices=(), answer=0) for one in asked)
        yield CheckTarget(name=_name_of(cell), role=role, cell=cell, items=items, asked=tuple(asked))


def _target(role: Role, task: TaskFile, language: str) -> CheckTarget:
    loaded = load_cell(task, language, sources=DOCUMENT_SOURCES, allow_generation=True)
    name = _name_of(loaded.cell)
    return CheckTarget(
        name=name,
        role=role,
        cell=loaded.cell,
        items=loaded.test,
        norm="acc_norm" in task.metrics,
        rules=generation_rules(task, language) if task.generates else None,
        notes=tuple(_notes(name, task, loaded)),
    )


def _notes(name: str, task: TaskFile, loaded: CellItems) -> Iterator[str]:
    if task.non_commercial:
        yield f"task '{task.name}': licence {task.licence}, not for commercial use"
    counts = loaded.counts["test"]
    if counts.invalid:
        item_id, reason = counts.invalid[0]
        yield f"{name}: {len(counts.invalid)} of {counts.read} items are not used; the first, '{item_id}': {reason}"


def _cut(target: CheckTarget, most_items: int | None) -> CheckTarget:
    asked = None if target.asked is None else target.asked[:most_items]
    items = target.items[:most_items]
    for item in items:
        check_texts(item)
    return replace(target, items=items, asked=asked)


def _name_of(cell: Cell) -> str:
    return cell.task if cell.language == NO_LANGUAGE else str(cell)


def _unique(name: str, reference: str, folder: Path, names: dict[str, str]) -> str:
    """The name, with its folder's before it, or a number after it, where another file or task has it already."""
    path = folder / reference
    what = str(path.resolve()) if path.exists() else reference
    above = path.resolve().parent.name
    numbered = (f"{name}-{number}" for number in range(2, len(names) + 3))
    chosen = next(one for one in (name, f"{above}-{name}", *numbered) if names.get(one, what) == what)
    names[chosen] = what
    return chosen
