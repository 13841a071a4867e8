"""Test items and training texts of one language of a task of lm-eval, by its own code."""

import json
from collections.abc import Sequence
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item, ItemCounts, TrainingText
from donorgrid.tasks.items.generation import accepted_answers
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL, task_manager
from donorgrid.tasks.prompts.few_shot import FEWSHOT_SEED
from donorgrid.tasks.prompts.prompt import chat_delimiter
from donorgrid.tasks.prompts.templates import InvalidDocument, answer_of, choices_of
from donorgrid.tasks.task_files.task_file import TaskFile

ONE_CONTEXT = "the task has one context per choice, which donorgrid does not score"
Reasons = list[tuple[str, str]]


def loaded_tasks(task: TaskFile, language: str, manager: Any = None) -> dict[str, Any]:
    """Prefix of the IDs -> task of lm-eval: one, with an empty prefix, or those of a group."""
    name = task.lm_eval_names[language]
    try:
        loaded = (manager or task_manager()).load([name])["tasks"]
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise InputError(f"task '{LM_EVAL}{name}': lm-eval cannot load it: {str(error).splitlines()[0]}") from error
    return {f"{leaf}/" if len(loaded) > 1 else "": one for leaf, one in loaded.items()}


def load_lm_eval_cell(task: TaskFile, language: str, *, num_fewshot: int | None, manager: Any = None) -> CellItems:
    """One language of a task, by lm-eval's own code; the IDs are row numbers, with the subtask's name in a group."""
    cell = Cell(task=task.name, language=language)
    test: list[Item] = []
    train: list[TrainingText] = []
    invalid: Reasons = []
    untrainable: Reasons = []
    for prefix, one in loaded_tasks(task, language, manager).items():
        items, reasons = _items(one, cell=cell, prefix=prefix, num_fewshot=num_fewshot)
        test += items
        invalid += reasons
        texts, reasons = _training_texts(one, prefix=prefix)
        train += texts
        untrainable += reasons
    counts = {"train": _counts(train, untrainable), "test": _counts(test, invalid)}
    note = "items of lm-eval's own tasks have row numbers as IDs, so languages align only if their rows do"
    return CellItems(cell=cell, train=tuple(train), test=tuple(test), counts=counts, notes=(note,))


def _items(one: Any, *, cell: Cell, prefix: str, num_fewshot: int | None) -> tuple[list[Item], Reasons]:
    documents = list(one.eval_docs)
    contexts = _contexts(one, documents, num_fewshot, messages=False)
    messages = _contexts(one, documents, num_fewshot, messages=True)
    items: list[Item] = []
    invalid: Reasons = []
    for row, document in enumerate(documents):
        item_id = f"{prefix}{row}"
        try:
            items.append(_item(one, document, cell=cell, item_id=item_id, context=contexts[row], chat=messages[row]))
        except InvalidDocument as reason:
            invalid.append((item_id, str(reason)))
    return items, invalid


def _contexts(one: Any, documents: list[dict[str, Any]], num_fewshot: int | None, *, messages: bool) -> list[Any]:
    """lm-eval's contexts, as text or as the JSON of the messages that it would give to a chat template."""
    one.set_fewshot_seed(FEWSHOT_SEED)
    count = (one.config.num_fewshot or 0) if num_fewshot is None else num_fewshot

    def as_json(chat: list[dict[str, str]], **_: bool) -> str:
        return json.dumps(chat)

    return [
        one.fewshot_context(
            document,
            count,
            gen_prefix=one.doc_to_prefix(document),
            apply_chat_template=messages,
            chat_template=as_json if messages else None,
        )
        for document in documents
    ]


def _item(one: Any, document: dict[str, Any], *, cell: Cell, item_id: str, context: Any, chat: Any) -> Item:
    if not isinstance(context, str):
        raise InvalidDocument(ONE_CONTEXT)
    choices, answer = _answers(one, document)
    turns = tuple((turn["role"], turn["content"]) for turn in json.loads(chat))
    prefix, delimiter = one.config.gen_prefix, one.config.target_delimiter
    return Item(
        id=item_id,
        cell=cell,
        context=context,
        choices=choices,
        answer=answer,
        delimiter=delimiter,
        messages=() if turns == (("user", context),) else turns,
        chat_delimiter=chat_delimiter(prefix, delimiter),
    )


def _training_texts(one: Any, *, prefix: str) -> tuple[list[TrainingText], Reasons]:
    texts: list[TrainingText] = []
    invalid: Reasons = []
    for row, document in enumerate(one.training_docs() if one.has_training_docs() else ()):
        try:
            texts.append(_training_text(one, document, item_id=f"{prefix}{row}"))
        except InvalidDocument as reason:
            invalid.append((f"{prefix}{row}", str(reason)))
    return texts, invalid


def _training_text(one: Any, document: dict[str, Any], *, item_id: str) -> TrainingText:
    choices, answer = _answers(one, document)
    targets = tuple(one.config.target_delimiter + choice for choice in choices)
    prompt = one.fewshot_context(document, 0, gen_prefix=one.doc_to_prefix(document))
    if not isinstance(prompt, str):
        raise InvalidDocument(ONE_CONTEXT)
    if one.OUTPUT_TYPE == "generate_until":
        return TrainingText(item_id=item_id, prompt=prompt, target=targets[0])
    return TrainingText(item_id=item_id, prompt=prompt, target=targets[answer], answer=answer, alternatives=targets)


def _answers(one: Any, document: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """The choices and the right one; for a generation the accepted answers and 0."""
    gold = {"answer": one.doc_to_target(document)}
    if one.OUTPUT_TYPE == "generate_until":
        return accepted_answers("answer", gold), 0
    choices = choices_of("choices", {"choices": one.doc_to_choice(document)})
    return choices, answer_of("answer", gold, choices)


def _counts(kept: Sequence[Item | TrainingText], invalid: Reasons) -> ItemCounts:
    return ItemCounts(read=len(kept) + len(invalid), kept=len(kept), invalid=tuple(invalid))
