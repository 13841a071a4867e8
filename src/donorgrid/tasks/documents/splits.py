"""The splits of one language of a task: which documents are for training and which for the test, each with its ID."""

import hashlib
from collections.abc import Mapping
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.tasks.documents.read import DocumentSource, read_documents
from donorgrid.tasks.prompts.templates import render
from donorgrid.tasks.task_files.keys import TaskKeys
from donorgrid.tasks.task_files.task_file import CellKeys

DocumentsById = list[tuple[str, dict[str, Any]]]
"""(ID, document) pairs, in the order of the data; the ID is empty where the data have none."""


def splits_of(cell: CellKeys, sources: Mapping[str, DocumentSource]) -> tuple[DocumentsById, DocumentsById]:
    """Read the documents of one language.

    Parameters
    ----------
    cell
        The keys of the task in one language.
    sources
        Further readers of documents by ``dataset_path``.

    Returns
    -------
    train, test : DocumentsById
        ``train`` is empty for a task without a training split.

    Raises
    ------
    InputError
        If data are missing, the test is empty, or ``cluster_column`` is no column of the documents.
    """
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
        return hold_out(test, keys)
    if keys.training_split is None:
        return [], test
    return with_ids(read_documents(cell, keys.training_split, sources=sources), keys), test


def with_ids(documents: list[dict[str, Any]], keys: TaskKeys) -> DocumentsById:
    """Pair each document of a split with its ID.

    Parameters
    ----------
    documents
        All documents of the split, in order.
    keys
        The task's keys; ``id_column`` is a column, a template that may use ``row``, or None for row numbers.

    Returns
    -------
    DocumentsById
        In the same order.
    """
    if keys.id_column is None:
        return [(str(row), document) for row, document in enumerate(documents)]
    return [(_id_of(document, keys.id_column, row), document) for row, document in enumerate(documents)]


def _id_of(document: dict[str, Any], spec: str, row: int) -> str:
    if "{" in spec:
        return render(spec, {**document, "row": row})
    value = document.get(spec)
    return "" if value is None else str(value)


def hold_out(documents: DocumentsById, keys: TaskKeys) -> tuple[DocumentsById, DocumentsById]:
    """Split the test documents of a benchmark that has no training split.

    Whole clusters go to training, in the order of a hash of the seed and the cluster's name, so the same clusters in
    every language.

    Parameters
    ----------
    documents
        The documents of the test split.
    keys
        The task's keys with ``hold_out``, which names the share and the seed; without it nothing is held out.

    Returns
    -------
    train, test : DocumentsById
    """
    rule = keys.hold_out
    if rule is None:
        return [], documents
    column = keys.cluster_column
    clusters = [item_id if column is None else str(document[column]) for item_id, document in documents]
    order = sorted(set(clusters), key=lambda name: hashlib.sha256(f"{rule.seed}:{name}".encode()).digest())
    training = set(order[: round(rule.train_share * len(order))])
    pairs = list(zip(clusters, documents, strict=True))
    return (
        [document for cluster, document in pairs if cluster in training],
        [document for cluster, document in pairs if cluster not in training],
    )
