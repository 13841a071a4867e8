"""The examples of a few-shot prompt, drawn as lm-eval draws them.

One generator per task and language, seeded with 1234 (lm-eval's default), is used up item by item in the order of the
split, so that the same items meet the same examples. Where examples come from the evaluation split itself, the item's
own document is left out.
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
    """Draws the examples for one document after the other; it holds the generator's state."""

    def __init__(
        self, keys: TaskKeys, pool: Sequence[Document], *, count: int, where: str, variables: Document | None = None
    ):
        leave_out = named_split(keys) == keys.test_split
        if count and len(pool) < count + leave_out:
            raise InputError(f"{where}: num_fewshot is {count}, but only {len(pool)} examples are there")
        self._keys, self._pool, self._count, self._leave_out = keys, list(pool), count, leave_out
        self._variables = dict(variables or {})
        self._random = Random(FEWSHOT_SEED)

    def draw(self, document: Document) -> tuple[Shot, ...]:
        """The solved examples for one document, in their order."""
        if not self._count:
            return ()
        chosen = (
            self._first(document) if self._keys.fewshot_config.sampler == "first_n" else self._random_ones(document)
        )
        return tuple(shot_of({**self._variables, **one}, self._keys) for one in chosen)

    def _first(self, document: Document) -> list[Document]:
        return [one for one in self._pool if not self._leave_out or one != document][: self._count]

    def _random_ones(self, document: Document) -> list[Document]:
        if not self._leave_out:
            return self._random.sample(self._pool, self._count)
        drawn = [one for one in self._random.sample(self._pool, self._count + 1) if one != document][: self._count]
        if len(drawn) == self._count:
            return drawn
        return self._random.sample([one for one in self._pool if one != document], self._count)


def named_split(keys: TaskKeys) -> str | None:
    """The split that the task file names for examples."""
    return keys.fewshot_config.split or keys.fewshot_split


def pool_of(keys: TaskKeys) -> str | None:
    """The split that examples come from; None where ``fewshot_config.samples`` lists them."""
    named = named_split(keys)
    if named is None and keys.fewshot_config.samples is not None:
        return None
    return named or keys.training_split or keys.evaluation_split


def shot_of(document: Document, keys: TaskKeys) -> Shot:
    """One document as a solved example."""
    own = keys.fewshot_config
    prefix = own.gen_prefix if own.gen_prefix is not None else keys.gen_prefix
    return Shot(
        question=text_of(
            own.doc_to_text if own.doc_to_text is not None else keys.doc_to_text, document, key="doc_to_text"
        ),
        answer=_shot_answer(document, keys),
        gen_prefix=text_of(prefix, document, key="gen_prefix") if prefix else None,
        target_delimiter=own.target_delimiter if own.target_delimiter is not None else keys.target_delimiter,
        fewshot_delimiter=own.fewshot_delimiter if own.fewshot_delimiter is not None else keys.fewshot_delimiter,
    )


def _shot_answer(document: Document, keys: TaskKeys) -> str:
    own = keys.fewshot_config
    target_spec = own.doc_to_target if own.doc_to_target is not None else keys.doc_to_target
    if isinstance(keys, GenerationKeys):
        return accepted_answers(target_spec, document)[0]
    choice_spec = own.doc_to_choice if own.doc_to_choice is not None else keys.doc_to_choice
    return _answer_text(answer_value(target_spec, document), choices_of(choice_spec, document))


def _answer_text(value: object, choices: tuple[str, ...]) -> str:
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, int) and 0 <= first < len(choices):
        return choices[first]
    if isinstance(first, str):
        return first
    raise InvalidDocument(f"few-shot example: {first!r} is no right answer for {len(choices)} choices")
