"""Draws the examples of a few-shot prompt as lm-eval draws them.

Each task and language has one random generator, seeded with 1234 (lm-eval's default). It advances from item to item in
the order of the split, so the same items get the same examples. Where examples come from the evaluation split, the
item's own document is left out.
"""

from collections.abc import Sequence
from random import Random

from donorgrid.core.errors import InputError
from donorgrid.tasks.items.generation import accepted_answers
from donorgrid.tasks.prompts.prompt import Shot
from donorgrid.tasks.prompts.templates import Document, InvalidDocument, answer_value, choices_of, text_of
from donorgrid.tasks.task_files.keys import GenerationKeys, TaskKeys

FEWSHOT_SEED = 1234


class ShotDrawer:
    """Draws the examples of one document after another; it holds the state of the random generator.

    Parameters
    ----------
    keys
        The task's keys.
    pool
        The documents to draw from.
    count
        How many examples each item gets.
    where
        The file's name, for messages.
    variables
        Names that templates see beside the columns.

    Raises
    ------
    InputError
        If the pool has too few documents.
    """

    def __init__(
        self, keys: TaskKeys, pool: Sequence[Document], *, count: int, where: str, variables: Document | None = None
    ):
        leave_out = named_split(keys) == keys.test_split
        if count and len(pool) < count + leave_out:
            raise InputError(f"{where}: num_fewshot is {count}, but there are only {len(pool)} examples")
        self._keys, self._pool, self._count, self._leave_out = keys, list(pool), count, leave_out
        self._variables = dict(variables or {})
        self._random = Random(FEWSHOT_SEED)

    def draw(self, document: Document) -> tuple[Shot, ...]:
        """Draws the solved examples for the next document, in their order."""
        if not self._count:
            return ()
        first_n = self._keys.fewshot_config.sampler == "first_n"
        examples = self._first(document) if first_n else self._drawn(document)
        return tuple(shot_of({**self._variables, **example}, self._keys) for example in examples)

    def _first(self, document: Document) -> list[Document]:
        return [example for example in self._pool if not self._leave_out or example != document][: self._count]

    def _drawn(self, document: Document) -> list[Document]:
        if not self._leave_out:
            return self._random.sample(self._pool, self._count)
        sampled = self._random.sample(self._pool, self._count + 1)
        others = [example for example in sampled if example != document][: self._count]
        if len(others) == self._count:
            return others
        return self._random.sample([example for example in self._pool if example != document], self._count)


def named_split(keys: TaskKeys) -> str | None:
    """Returns the split that the task file names for examples, or None."""
    return keys.fewshot_config.split or keys.fewshot_split


def pool_split(keys: TaskKeys) -> str | None:
    """Returns the split that examples come from; None if ``fewshot_config.samples`` lists them."""
    named = named_split(keys)
    if named is None and keys.fewshot_config.samples is not None:
        return None
    return named or keys.training_split or keys.evaluation_split


def shot_of(document: Document, keys: TaskKeys) -> Shot:
    """Write a document as a solved example.

    Parameters
    ----------
    document
        Column name to value.
    keys
        The task's keys; ``fewshot_config`` overrides the templates and delimiters of the question itself.

    Returns
    -------
    Shot

    Raises
    ------
    InvalidDocument
        If a template does not fit the document, or it has no right answer.
    """
    config = keys.fewshot_config
    prefix = config.gen_prefix if config.gen_prefix is not None else keys.gen_prefix
    question = config.doc_to_text if config.doc_to_text is not None else keys.doc_to_text
    return Shot(
        question=text_of(question, document, key="doc_to_text"),
        answer=_shot_answer(document, keys),
        gen_prefix=text_of(prefix, document, key="gen_prefix") if prefix else None,
        target_delimiter=config.target_delimiter if config.target_delimiter is not None else keys.target_delimiter,
        fewshot_delimiter=config.fewshot_delimiter if config.fewshot_delimiter is not None else keys.fewshot_delimiter,
    )


def _shot_answer(document: Document, keys: TaskKeys) -> str:
    config = keys.fewshot_config
    target_spec = config.doc_to_target if config.doc_to_target is not None else keys.doc_to_target
    if isinstance(keys, GenerationKeys):
        return accepted_answers(target_spec, document)[0]
    choice_spec = config.doc_to_choice if config.doc_to_choice is not None else keys.doc_to_choice
    return _answer_text(answer_value(target_spec, document), choices_of(choice_spec, document))


def _answer_text(value: object, choices: tuple[str, ...]) -> str:
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, int) and 0 <= first < len(choices):
        return choices[first]
    if isinstance(first, str):
        return first
    raise InvalidDocument(f"few-shot example: {first!r} is no right answer for {len(choices)} choices")
