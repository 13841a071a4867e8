"""Reading one cell: its splits, its items and training texts, and the count of what could not be used."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item, ItemCounts, TrainingText
from donorgrid.tasks.documents import DocumentSource, read_documents
from donorgrid.tasks.fewshot import ShotDrawer, pool_of
from donorgrid.tasks.items import item_of
from donorgrid.tasks.keys import TaskKeys
from donorgrid.tasks.lm_eval_tasks import load_lm_eval_cell
from donorgrid.tasks.task_file import CellKeys, TaskFile
from donorgrid.tasks.templates import InvalidDocument, render
from donorgrid.tasks.training_texts import training_text_of

Made = TypeVar("Made", Item, TrainingText)
Numbered = list[tuple[str, dict[str, Any]]]


def load_cell(
    task: TaskFile, language: str, *, sources: Mapping[str, DocumentSource], num_fewshot: int | None = None
) -> CellItems:
    """Test items and training texts of one language of a task.

    ``sources`` gives further readers by ``dataset_path``, such as ``{"pocket": reader}``. ``num_fewshot`` replaces the
    file's own number of examples in the prompt of test items. Raises InputError when data are missing or when no
    document of a split can be used; single documents that cannot are counted with their ID and reason.
    """
    if task.lm_eval_names:
        return load_lm_eval_cell(task, language, num_fewshot=num_fewshot)
    keys = task.cell(language)
    variables = keys.template_variables
    cell = Cell(task=task.name, language=language)
    train_documents, test_documents = _splits(keys, sources)
    drawer = _drawer(keys, sources, num_fewshot)

    def to_item(item_id: str, document: dict[str, Any]) -> Item:
        shots = drawer.draw(document)
        return item_of({**variables, **document}, keys.keys, cell=cell, item_id=item_id, shots=shots)

    def to_text(item_id: str, document: dict[str, Any]) -> TrainingText:
        return training_text_of({**variables, **document}, keys.keys, item_id=item_id)

    test, test_counts = _make(test_documents, to_item, keys=keys, what=f"{cell} test")
    train, train_counts = _make(train_documents, to_text, keys=keys, what=f"{cell} train")
    counts = {"train": train_counts, "test": test_counts}
    return CellItems(cell=cell, train=tuple(train), test=tuple(test), counts=counts, notes=_notes(task, keys.keys))


def _splits(cell: CellKeys, sources: Mapping[str, DocumentSource]) -> tuple[Numbered, Numbered]:
    """The documents for training and for the test, each with its ID."""
    keys = cell.keys
    test = _with_ids(read_documents(cell, keys.evaluation_split, sources=sources), keys)
    if not test:
        raise InputError(f"{cell.where}: split '{keys.evaluation_split}' has no documents")
    if keys.cluster_column is not None and any(keys.cluster_column not in document for _, document in test):
        raise InputError(
            f"{cell.where}: cluster_column '{keys.cluster_column}' is no column of the documents; they have: "
            f"{', '.join(test[0][1])}"
        )
    if keys.hold_out is not None:
        return held_out(test, keys)
    if keys.training_split is None:
        return [], test
    return _with_ids(read_documents(cell, keys.training_split, sources=sources), keys), test


def _with_ids(documents: list[dict[str, Any]], keys: TaskKeys) -> Numbered:
    if keys.id_column is None:
        return [(str(row), document) for row, document in enumerate(documents)]
    return [(_id_of(document, keys.id_column, row), document) for row, document in enumerate(documents)]


def _id_of(document: dict[str, Any], spec: str, row: int) -> str:
    """The ID from a column, or from a template that may use ``row``; empty where there is none."""
    if "{" in spec:
        return render(spec, {**document, "row": row})
    value = document.get(spec)
    return "" if value is None else str(value)


def held_out(documents: Numbered, keys: TaskKeys) -> tuple[Numbered, Numbered]:
    """(training, test): whole clusters, in the order of a hash of seed and name, so alike in every language."""
    rule = keys.hold_out
    if rule is None:
        return [], documents
    column = keys.cluster_column
    clusters = [item_id if column is None else str(document[column]) for item_id, document in documents]
    order = sorted(set(clusters), key=lambda name: hashlib.sha256(f"{rule.seed}:{name}".encode()).digest())
    chosen = set(order[: round(rule.train_share * len(order))])
    pairs = list(zip(clusters, documents, strict=True))
    return [one for name, one in pairs if name in chosen], [one for name, one in pairs if name not in chosen]


def _drawer(cell: CellKeys, sources: Mapping[str, DocumentSource], num_fewshot: int | None) -> ShotDrawer:
    keys = cell.keys
    count = keys.num_fewshot if num_fewshot is None else num_fewshot
    split = pool_of(keys)
    if not count:
        return ShotDrawer(keys, (), count=0, where=cell.where)
    pool = keys.fewshot_config.samples if split is None else read_documents(cell, split, sources=sources)
    return ShotDrawer(keys, pool or (), count=count, where=cell.where)


def _make(
    documents: Numbered, make: Callable[[str, dict[str, Any]], Made], *, keys: CellKeys, what: str
) -> tuple[list[Made], ItemCounts]:
    made: dict[str, Made] = {}
    invalid: list[tuple[str, str]] = []
    for row, (item_id, document) in enumerate(documents):
        try:
            one = make(item_id, document)
            _check_id(item_id, made, column=keys.keys.id_column)
        except InvalidDocument as reason:
            invalid.append((item_id or f"row {row}", str(reason)))
        else:
            made[item_id] = one
    if documents and not made:
        raise InputError(
            f"{keys.where}: none of the {len(documents)} documents of {what} can be used; the first, "
            f"'{invalid[0][0]}': {invalid[0][1]}"
        )
    return list(made.values()), ItemCounts(read=len(documents), kept=len(made), invalid=tuple(invalid))


def _check_id(item_id: str, made: Mapping[str, object], *, column: str | None) -> None:
    if not item_id:
        raise InvalidDocument(f"id_column '{column}' is empty or missing")
    if item_id in made:
        raise InvalidDocument(f"id_column '{column}': the ID '{item_id}' stands earlier in this split")


def _notes(task: TaskFile, keys: TaskKeys) -> tuple[str, ...]:
    notes = []
    if keys.id_column is None:
        notes.append("no id_column: an item's ID is its row number, so languages align only if their rows do")
    if not (keys.training_split or keys.hold_out):
        notes.append("no training_split: the task can be a target, not a source")
    if task.metrics_not_read:
        notes.append(f"metrics not computed: {', '.join(task.metrics_not_read)}")
    return tuple(notes)
