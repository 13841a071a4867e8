"""Solved items of one cell as few-shot examples for the items of every cell: showing where training would teach."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Example, Item
from donorgrid.tasks.documents.read import DocumentSource, read_documents
from donorgrid.tasks.documents.splits import DocumentsById, splits_of, with_ids
from donorgrid.tasks.lm_eval.examples import load_lm_eval_examples
from donorgrid.tasks.prompts.few_shot import named_split, shot_of
from donorgrid.tasks.prompts.templates import Document, InvalidDocument, text_of
from donorgrid.tasks.task_files.keys import TaskKeys
from donorgrid.tasks.task_files.task_file import CellKeys, TaskFile


def load_examples(task: TaskFile, language: str, *, sources: Mapping[str, DocumentSource]) -> tuple[Example, ...]:
    """List the items of a cell that may be shown solved, as lm-eval writes an example.

    They come from the split or the list that the task names for examples, else from its training split; never from the
    split that is scored. An item with the question of a test item of the cell is left out.

    Parameters
    ----------
    task, language
        The cell.
    sources
        Further readers of documents by ``dataset_path``.

    Returns
    -------
    tuple of Example
        In the order of the data.

    Raises
    ------
    InputError
        If there is none.
    """
    cell = Cell(task=task.name, language=language)
    examples = load_lm_eval_examples(task, language) if task.lm_eval_names else _examples(task.cell(language), sources)
    if not examples:
        raise InputError(f"task '{task.name}' has no solved items to show in '{cell.language}': no training split")
    return examples


def draw_examples(pool: Sequence[Example], count: int, *, draw_seed: int) -> tuple[Example, ...]:
    """Draw examples at random, without replacement.

    Parameters
    ----------
    pool
        The examples of a cell. Languages whose examples are aligned draw the same ones.
    count
        How many.
    draw_seed
        The seed of the order; a larger ``count`` with the same seed starts with the same examples.

    Returns
    -------
    tuple of Example
        ``count`` examples, in the order drawn.

    Raises
    ------
    InputError
        If the pool has fewer.
    """
    if count > len(pool):
        raise InputError(f"{count} solved examples are wanted, but there are only {len(pool)}")
    order = np.random.default_rng(draw_seed).permutation(len(pool))
    return tuple(pool[index] for index in order[:count])


def with_examples(item: Item, examples: Sequence[Example]) -> Item:
    """Add examples to an item, between its description and its question, where lm-eval has them.

    Parameters
    ----------
    item
        An item of any cell.
    examples
        The examples, in order.

    Returns
    -------
    Item
        The same item with a longer context and messages.
    """
    shown = "".join(example.text for example in examples)
    first = item.messages[0] if item.messages else ("", "")
    description = first[1] if first[0] == "system" and item.context.startswith(first[1]) else ""
    return replace(
        item,
        context=description + shown + item.context.removeprefix(description),
        messages=tuple((role, shown + text if role == "user" else text) for role, text in item.messages),
    )


def _examples(cell: CellKeys, sources: Mapping[str, DocumentSource]) -> tuple[Example, ...]:
    keys, variables = cell.keys, cell.template_variables
    train, test = splits_of(cell, sources)
    test_questions = {_question({**variables, **document}, keys) for _, document in test} - {None}
    examples = []
    for item_id, raw in _pool(cell, sources, train):
        document = {**variables, **raw}
        if _question(document, keys) in test_questions:
            continue
        try:
            examples.append(Example(id=item_id, text=str(shot_of(document, keys))))
        except InvalidDocument:  # the counts of the cell list it
            continue
    return tuple(examples)


def _pool(cell: CellKeys, sources: Mapping[str, DocumentSource], train: DocumentsById) -> DocumentsById:
    keys, split = cell.keys, named_split(cell.keys)
    if split not in (None, keys.evaluation_split):
        return with_ids(read_documents(cell, str(split), sources=sources), keys)
    listed: Sequence[dict[str, Any]] = keys.fewshot_config.samples or ()
    return [(f"sample {row}", document) for row, document in enumerate(listed)] if split is None and listed else train


def _question(document: Document, keys: TaskKeys) -> str | None:
    try:
        return text_of(keys.doc_to_text, document, key="doc_to_text")
    except InvalidDocument:
        return None
