"""Test items and training texts of one language of a task of lm-eval, by its own code."""

import json
from collections.abc import Sequence
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item, ItemCounts, TrainingText
from donorgrid.tasks.items.generation import accepted_answers
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL, task_registry
from donorgrid.tasks.prompts.few_shot import FEWSHOT_SEED
from donorgrid.tasks.prompts.prompt import chat_delimiter
from donorgrid.tasks.prompts.templates import InvalidDocument, answer_of, choices_of
from donorgrid.tasks.task_files.task_file import TaskFile

ONE_CONTEXT = "the task has one context per choice, which donorgrid does not score"
Reasons = list[tuple[str, str]]
"""(item ID, reason) of each document that cannot be used."""


def loaded_tasks(task: TaskFile, language: str, registry: Any = None) -> dict[str, Any]:
    """Load one language of a task with lm-eval.

    Parameters
    ----------
    task, language
        The cell.
    registry
        An ``lm_eval.tasks.TaskManager``; by default that of the installed tasks.

    Returns
    -------
    dict
        What the IDs of a task start with, to the task: one with an empty prefix, or those of a group.

    Raises
    ------
    InputError
        If lm-eval cannot load the task.
    """
    name = task.lm_eval_names[language]
    try:
        loaded = (registry or task_registry()).load([name])["tasks"]
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise InputError(f"task '{LM_EVAL}{name}': lm-eval cannot load it: {str(error).splitlines()[0]}") from error
    return {f"{leaf}/" if len(loaded) > 1 else "": lm_task for leaf, lm_task in loaded.items()}


def load_lm_eval_cell(task: TaskFile, language: str, *, num_fewshot: int | None, registry: Any = None) -> CellItems:
    """Read one language of a task by lm-eval's own code.

    Parameters
    ----------
    task, language
        The cell.
    num_fewshot
        Replaces the task's own number of few-shot examples.
    registry
        An ``lm_eval.tasks.TaskManager``; by default that of the installed tasks.

    Returns
    -------
    CellItems
        IDs are row numbers, after the subtask's name in a group.

    Raises
    ------
    InputError
        If lm-eval is not installed or cannot load the task.
    """
    cell = Cell(task=task.name, language=language)
    test: list[Item] = []
    train: list[TrainingText] = []
    invalid_test: Reasons = []
    invalid_train: Reasons = []
    for prefix, lm_task in loaded_tasks(task, language, registry).items():
        items, reasons = _items(lm_task, cell=cell, prefix=prefix, num_fewshot=num_fewshot)
        test += items
        invalid_test += reasons
        texts, reasons = _training_texts(lm_task, prefix=prefix)
        train += texts
        invalid_train += reasons
    counts = {"train": _counts(train, invalid_train), "test": _counts(test, invalid_test)}
    note = "items of lm-eval's own tasks have row numbers as IDs, so languages align only if their rows do"
    return CellItems(cell=cell, train=tuple(train), test=tuple(test), counts=counts, notes=(note,))


def _items(lm_task: Any, *, cell: Cell, prefix: str, num_fewshot: int | None) -> tuple[list[Item], Reasons]:
    documents = list(lm_task.eval_docs)
    contexts = _contexts(lm_task, documents, num_fewshot, messages=False)
    chats = _contexts(lm_task, documents, num_fewshot, messages=True)
    items: list[Item] = []
    invalid: Reasons = []
    for row, document in enumerate(documents):
        item_id = f"{prefix}{row}"
        try:
            items.append(_item(lm_task, document, cell=cell, item_id=item_id, context=contexts[row], chat=chats[row]))
        except InvalidDocument as reason:
            invalid.append((item_id, str(reason)))
    return items, invalid


def _contexts(lm_task: Any, documents: list[dict[str, Any]], num_fewshot: int | None, *, messages: bool) -> list[Any]:
    """lm-eval's contexts, as text or as the JSON of the messages that it would give to a chat template."""
    lm_task.set_fewshot_seed(FEWSHOT_SEED)
    count = (lm_task.config.num_fewshot or 0) if num_fewshot is None else num_fewshot
    return [_context(lm_task, document, count, messages=messages) for document in documents]


def _context(lm_task: Any, document: dict[str, Any], count: int, *, messages: bool) -> Any:
    def as_json(chat: list[dict[str, str]], **_: bool) -> str:
        return json.dumps(chat)

    return lm_task.fewshot_context(
        document,
        count,
        gen_prefix=lm_task.doc_to_prefix(document),
        apply_chat_template=messages,
        chat_template=as_json if messages else None,
    )


def _messages(chat: str, context: str) -> tuple[tuple[str, str], ...]:
    """The messages in lm-eval's JSON; none if they are the context from the user."""
    messages = tuple((message["role"], message["content"]) for message in json.loads(chat))
    return () if messages == (("user", context),) else messages


def _item(lm_task: Any, document: dict[str, Any], *, cell: Cell, item_id: str, context: Any, chat: Any) -> Item:
    if not isinstance(context, str):
        raise InvalidDocument(ONE_CONTEXT)
    choices, answer = _answers(lm_task, document)
    gen_prefix, delimiter = lm_task.config.gen_prefix, lm_task.config.target_delimiter
    return Item(
        id=item_id,
        cell=cell,
        context=context,
        choices=choices,
        answer=answer,
        delimiter=delimiter,
        messages=_messages(chat, context),
        chat_delimiter=chat_delimiter(gen_prefix, delimiter),
    )


def _training_texts(lm_task: Any, *, prefix: str) -> tuple[list[TrainingText], Reasons]:
    texts: list[TrainingText] = []
    invalid: Reasons = []
    for row, document in enumerate(lm_task.training_docs() if lm_task.has_training_docs() else ()):
        try:
            texts.append(_training_text(lm_task, document, item_id=f"{prefix}{row}"))
        except InvalidDocument as reason:
            invalid.append((f"{prefix}{row}", str(reason)))
    return texts, invalid


def _training_text(lm_task: Any, document: dict[str, Any], *, item_id: str) -> TrainingText:
    choices, answer = _answers(lm_task, document)
    gen_prefix, delimiter = lm_task.config.gen_prefix, lm_task.config.target_delimiter
    prompt, chat = (_context(lm_task, document, 0, messages=messages) for messages in (False, True))
    if not isinstance(prompt, str):
        raise InvalidDocument(ONE_CONTEXT)
    targets = tuple(delimiter + choice for choice in choices)
    has_choices = lm_task.OUTPUT_TYPE != "generate_until"
    return TrainingText(
        item_id=item_id,
        prompt=prompt,
        target=targets[answer],
        delimiter=delimiter,
        messages=_messages(chat, prompt),
        chat_delimiter=chat_delimiter(gen_prefix, delimiter),
        answer=answer if has_choices else None,
        alternatives=targets if has_choices else (),
    )


def _answers(lm_task: Any, document: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """The choices and the index of the right one; for a generation the accepted answers and 0."""
    target = {"answer": lm_task.doc_to_target(document)}
    if lm_task.OUTPUT_TYPE == "generate_until":
        return accepted_answers("answer", target), 0
    choices = choices_of("choices", {"choices": lm_task.doc_to_choice(document)})
    return choices, answer_of("answer", target, choices)


def _counts(kept: Sequence[Item | TrainingText], invalid: Reasons) -> ItemCounts:
    return ItemCounts(read=len(kept) + len(invalid), kept=len(kept), invalid=tuple(invalid))
