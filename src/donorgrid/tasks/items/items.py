"""Turns one document into one test item."""

from donorgrid.core.records import Cell, Item
from donorgrid.tasks.items.generation import accepted_answers
from donorgrid.tasks.prompts.prompt import Prompt, Shot, chat_delimiter
from donorgrid.tasks.prompts.templates import Document, answer_of, choices_of, text_of
from donorgrid.tasks.task_files.keys import ChoiceKeys, GenerationKeys, TaskKeys


def prompt_of(document: Document, keys: TaskKeys, *, shots: tuple[Shot, ...] = ()) -> Prompt:
    """Fill the templates of a document's context.

    Parameters
    ----------
    document
        Column name to value.
    keys
        The task's keys.
    shots
        The few-shot examples, in order.

    Returns
    -------
    Prompt
        Description, examples, question and opened answer.

    Raises
    ------
    InvalidDocument
        If a template does not fit the document.
    """
    return Prompt(
        question=text_of(keys.doc_to_text, document, key="doc_to_text"),
        description=text_of(keys.description, document, key="description") if keys.description else "",
        shots=shots,
        gen_prefix=text_of(keys.gen_prefix, document, key="gen_prefix") if keys.gen_prefix else None,
        target_delimiter=keys.target_delimiter,
    )


def item_of(document: Document, keys: ChoiceKeys, *, cell: Cell, item_id: str, shots: tuple[Shot, ...] = ()) -> Item:
    """Make the test item of a document whose options are scored.

    Parameters
    ----------
    document
        Column name to value.
    keys
        The task's keys.
    cell
        The cell that the item belongs to.
    item_id
        Its ID within the cell.
    shots
        The few-shot examples of its context, in order.

    Returns
    -------
    Item

    Raises
    ------
    InvalidDocument
        If there is no item; the message says why.
    """
    prompt = prompt_of(document, keys, shots=shots)
    choices = choices_of(keys.doc_to_choice, document)
    return Item(
        id=item_id,
        cell=cell,
        context=prompt.context,
        choices=choices,
        answer=answer_of(keys.doc_to_target, document, choices),
        delimiter=keys.target_delimiter,
        cluster=None if keys.cluster_column is None else str(document[keys.cluster_column]),
        messages=prompt.messages,
        chat_delimiter=chat_delimiter(keys.gen_prefix, keys.target_delimiter),
    )


def generation_item(
    document: Document, keys: GenerationKeys, *, cell: Cell, item_id: str, shots: tuple[Shot, ...] = ()
) -> Item:
    """Make the item of a document whose answer is generated.

    Parameters
    ----------
    document, keys, cell, item_id, shots
        As for ``item_of``.

    Returns
    -------
    Item
        Its ``choices`` are the accepted answers and its ``answer`` is 0; they are never scored.

    Raises
    ------
    InvalidDocument
        If there is no item; the message says why.
    """
    prompt = prompt_of(document, keys, shots=shots)
    return Item(
        id=item_id,
        cell=cell,
        context=prompt.context,
        choices=accepted_answers(keys.doc_to_target, document),
        answer=0,
        delimiter=keys.target_delimiter,
        cluster=None if keys.cluster_column is None else str(document[keys.cluster_column]),
        messages=prompt.messages,
        chat_delimiter=chat_delimiter(keys.gen_prefix, keys.target_delimiter),
    )
