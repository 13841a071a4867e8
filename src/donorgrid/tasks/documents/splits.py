"""The splits of one language of a task: which documents are for training and which for the test, each with its ID."""

import hashlib
from collections.abc import Mapping
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.tasks.documents.read import DocumentSource, read_documents
from donorgrid.tasks.prompts.templates import render
from donorgrid.tasks.task_files.keys import TaskKeys
from donorgrid.tasks.task_files.task_file import CellKeys

Numbered = list[tuple[str, dict[str, Any]]]


def splits_of(cell: CellKeys, sources: Mapping[str, DocumentSource]) -> tuple[Numbered, Numbered]:
    """The documents for training and for the test, each with its ID."""
    keys = cell.keys
    test = with_ids(read_documents(cell, keys.evaluation_split, sources=sources), keys)
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
    return with_ids(read_documents(cell, keys.training_split, sources=sources), keys), test


def with_ids(documents: list[dict[str, Any]], keys: TaskKeys) -> Numbered:
    """The documents of a split, each with its ID: its row number where the task names no column."""
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
