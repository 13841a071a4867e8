"""Turns one document into one training text: by the block ``train``, else in the format of the evaluation."""

from dataclasses import replace
from typing import Any

from donorgrid.core.records import TrainingText
from donorgrid.tasks.items.generation import accepted_answers
from donorgrid.tasks.items.items import prompt_of
from donorgrid.tasks.prompts.prompt import Prompt, chat_delimiter
from donorgrid.tasks.prompts.templates import Document, InvalidDocument, answer_of, choices_of, names_in, text_of
from donorgrid.tasks.task_files.key_blocks import TrainKeys
from donorgrid.tasks.task_files.keys import ChoiceKeys, GenerationKeys, TaskKeys

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ANSWER_NAMES = frozenset({"gold", "letter", "choice"})
"""What a template of ``train.target`` calls the right choice: its index, its letter, its text."""


def training_text_of(document: Document, keys: TaskKeys, *, item_id: str) -> TrainingText:
    """Make the training text of a document.

    Parameters
    ----------
    document
        Column name to value.
    keys
        The task's keys; without a block ``train`` the context without examples is the prompt, and the right choice or
        the first accepted answer is the target.
    item_id
        The document's ID.

    Returns
    -------
    TrainingText

    Raises
    ------
    InvalidDocument
        If there is no text; the message says why.
    """
    if isinstance(keys, GenerationKeys):
        return _reply_text(document, keys, item_id)
    return _choice_text(document, keys, item_id)


def _reply_text(document: Document, keys: GenerationKeys, item_id: str) -> TrainingText:
    """For a task that generates: the first accepted answer after the context, or what the block ``train`` says."""
    answer = accepted_answers(keys.doc_to_target, document)[0]
    if keys.train is None:
        return evaluated_text(prompt_of(document, keys), keys, item_id=item_id, targets=(answer,))
    train = keys.train
    return TrainingText(
        item_id=item_id,
        prompt=text_of(train.prompt, document, key="train.prompt"),
        target=text_of(train.target, {"reply": answer, **document}, key="train.target"),
        delimiter=keys.target_delimiter,
        **_settings(train),
    )


def _choice_text(document: Document, keys: ChoiceKeys, item_id: str) -> TrainingText:
    choices = choices_of(keys.doc_to_choice, document)
    answer = answer_of(keys.doc_to_target, document, choices)
    if keys.train is not None:
        text = _by_block(document, keys.train, item_id=item_id, choices=choices, answer=answer)
        return replace(text, delimiter=keys.target_delimiter)
    prompt = prompt_of(document, keys)
    return evaluated_text(prompt, keys, item_id=item_id, targets=choices, answer=answer)


def evaluated_text(
    prompt: Prompt, keys: TaskKeys, *, item_id: str, targets: tuple[str, ...], answer: int | None = None
) -> TrainingText:
    """Make a training text in the format of the evaluation.

    Parameters
    ----------
    prompt
        The item's prompt without examples.
    keys
        ``target_delimiter`` and ``gen_prefix`` of the task.
    item_id
        The item's ID.
    targets
        The choices, or the accepted answers; the delimiter goes before each.
    answer
        The index of the right choice; None: the first accepted answer is the target, and there are no choices.

    Returns
    -------
    TrainingText
    """
    texts = tuple(keys.target_delimiter + target for target in targets)
    return TrainingText(
        item_id=item_id,
        prompt=prompt.context,
        target=texts[answer or 0],
        delimiter=keys.target_delimiter,
        messages=prompt.messages,
        chat_delimiter=chat_delimiter(keys.gen_prefix, keys.target_delimiter),
        answer=answer,
        alternatives=() if answer is None else texts,
    )


def _settings(train: TrainKeys) -> dict[str, Any]:
    names = ("tokenise", "loss_on", "max_tokens", "max_tokens_apart", "keep")
    return {name: getattr(train, name) for name in names}


def _by_block(
    document: Document, train: TrainKeys, *, item_id: str, choices: tuple[str, ...], answer: int
) -> TrainingText:
    prompt = text_of(train.prompt, document, key="train.prompt")
    target = _target(train.target, document, choices, answer)
    depends_on_answer = train.target not in document and bool(names_in(train.target) & ANSWER_NAMES)
    return TrainingText(
        item_id=item_id,
        prompt=prompt,
        target=target,
        **_settings(train),
        answer=answer,
        alternatives=_alternatives(train.target, document, choices) if depends_on_answer else (),
    )


def _alternatives(template: str, document: Document, choices: tuple[str, ...]) -> tuple[str, ...]:
    """The target for each choice, up to the first that the template cannot render (a fifth of four letters)."""
    targets: list[str] = []
    for number in range(len(choices)):
        try:
            targets.append(_target(template, document, choices, number))
        except InvalidDocument:
            break
    return tuple(targets)


def _target(template: str, document: Document, choices: tuple[str, ...], number: int) -> str:
    letter = LETTERS[number] if number < len(LETTERS) else str(number + 1)
    answer: dict[str, Any] = {"gold": number, "letter": letter, "choice": choices[number]}
    return text_of(template, document if template in document else {**document, **answer}, key="train.target")
