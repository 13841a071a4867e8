"""Counts the tokens that solved examples add to prompts: which items of a few-shot subject are cut, by how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.records import Cell, Example, Item, Prompted
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.tokenizers import max_input_length, sequence_length
from donorgrid.score.encode import chat_context, encode_items
from donorgrid.tasks import generation_rules, with_examples

_JOINT = 32
"""Joining two texts adds at most this many tokens, so that only items near the limit are counted again."""


@dataclass(frozen=True, kw_only=True)
class FewShotCounts:
    """The token counts of one few-shot subject.

    Attributes
    ----------
    subject : Prompted
        The subject.
    n_tokens : int
        The tokens of its examples.
    n_items : int
        The items that it answers.
    cut : mapping of Cell to tuple of (str, int)
        By target: the ID and the tokens cut, for items that are too long. Targets without such items are left out.
    """

    subject: Prompted
    n_tokens: int
    n_items: int
    cut: Mapping[Cell, tuple[tuple[str, int], ...]]


def count_few_shot(prepared: Prepared, model: str) -> tuple[FewShotCounts, ...]:
    """The token counts of the few-shot subjects of one model.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.

    Returns
    -------
    tuple of FewShotCounts
        In the order of the grid; empty for a study without few-shot sources.
    """
    subjects = [subject for subject in prepared.grid.prompted if subject.model == model]
    if not subjects:
        return ()
    lengths = _Lengths(prepared, model)
    plain = {target: lengths.of(target, prepared.cells[target].test) for target in prepared.grid.targets}
    n_items = sum(map(len, plain.values()))
    counts = []
    for subject in subjects:
        examples = prepared.examples[subject]
        cut = {target: tuple(lengths.cut(target, plain[target], examples)) for target in plain}
        counts.append(
            FewShotCounts(
                subject=subject,
                n_tokens=lengths.of_examples(examples),
                n_items=n_items,
                cut={target: items for target, items in cut.items() if items},
            )
        )
    return tuple(counts)


def few_shot_notes(counted: Sequence[FewShotCounts]) -> Iterator[str]:
    """A line for every few-shot subject with prompts that lose some of their examples."""
    for counts in counted:
        if counts.cut:
            n_cut = sum(map(len, counts.cut.values()))
            items = [(target, *item) for target, cut in counts.cut.items() for item in cut]
            target, item_id, excess = max(items, key=lambda item: item[2])
            yield (
                f"{counts.subject.model}, {counts.subject.source} (seed {counts.subject.draw_seed}): {n_cut} of "
                f"{counts.n_items} prompts are too long and lose the beginning of their examples, '{item_id}' of "
                f"{target} {excess} tokens"
            )


class _Lengths:
    """Lengths in one model's tokens, and how many tokens it reads at most."""

    def __init__(self, prepared: Prepared, model: str) -> None:
        self._prepared = prepared
        self._tokenizer: Any = load_tokenizer(prepared.models[model])
        self._max_length = max_input_length(prepared.models[model], self._tokenizer)

    def of_examples(self, examples: Sequence[Example]) -> int:
        """The tokens of the examples alone."""
        text = "".join(example.text for example in examples)
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def of(self, target: Cell, items: Sequence[Item]) -> dict[str, int]:
        """By item ID, the tokens of the longest sequence of each item."""
        scoring, encode = self._prepared.study.scoring, self._tokenizer.encode
        chat_template, arguments = scoring.chat_template, scoring.chat_template_args
        if self._prepared.tasks[target.task].generates:
            contexts = [
                chat_context(item, self._tokenizer, arguments) if chat_template else item.context for item in items
            ]
            return {item.id: len(encode(context)) for item, context in zip(items, contexts, strict=True)}
        encoded = encode_items(items, self._tokenizer, chat_template=chat_template, chat_template_args=arguments)
        return {item.item.id: sequence_length(item) for item in encoded.items}

    def cut(self, target: Cell, plain: Mapping[str, int], examples: Sequence[Example]) -> Iterator[tuple[str, int]]:
        """(item ID, tokens cut) of the items that are too long after the examples."""
        limit = self._limit(target)
        near = limit - self.of_examples(examples) - _JOINT
        items = [item for item in self._prepared.cells[target].test if plain.get(item.id, 0) > near]
        lengths = self.of(target, [with_examples(item, examples) for item in items])
        yield from ((item_id, length - limit) for item_id, length in lengths.items() if length > limit)

    def _limit(self, target: Cell) -> int:
        """The longest sequence that is not truncated; the last token of an option is only predicted."""
        task = self._prepared.tasks[target.task]
        if task.generates:
            return self._max_length - generation_rules(task, target.language).max_new_tokens
        return self._max_length + 1
