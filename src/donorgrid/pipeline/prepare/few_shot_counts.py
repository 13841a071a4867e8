"""What solved examples do to the length of prompts: which items a few-shot subject reads cut, and by how much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.records import Cell, Example, Item, Prompted
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.score.encode import chat_context, encode_items
from donorgrid.tasks import generation_rules, with_examples

_SEAM = 32
"""Joined texts have at most so many tokens more than the two apart: only near the limit are they counted exactly."""


@dataclass(frozen=True, kw_only=True)
class ShownCounts:
    """One few-shot subject: the tokens of its examples, the items it answers, and (ID, tokens cut) by target."""

    subject: Prompted
    n_tokens: int
    n_items: int
    cut: Mapping[Cell, tuple[tuple[str, int], ...]]


def count_shown(prepared: Prepared, model: str) -> tuple[ShownCounts, ...]:
    """The counts of one model's few-shot subjects."""
    subjects = [one for one in prepared.grid.prompted if one.model == model]
    if not subjects:
        return ()
    measure = _Measure(prepared, model)
    targets = prepared.grid.targets
    plain = {target: measure.lengths(target, prepared.cells[target].test) for target in targets}
    n_items = sum(map(len, plain.values()))
    return tuple(
        ShownCounts(
            subject=one,
            n_tokens=measure.examples(prepared.examples[one]),
            n_items=n_items,
            cut={
                target: found
                for target in targets
                if (found := tuple(measure.cut(target, plain[target], prepared.examples[one])))
            },
        )
        for one in subjects
    )


def shown_notes(counted: Sequence[ShownCounts]) -> Iterator[str]:
    """A line for every few-shot subject that does not read all of its examples before every item."""
    for one in counted:
        if one.cut:
            n_cut = sum(map(len, one.cut.values()))
            target, (item_id, excess) = max(
                ((target, item) for target, cut in one.cut.items() for item in cut), key=lambda found: found[1][1]
            )
            yield (
                f"{one.subject.model}, {one.subject.source} (seed {one.subject.draw_seed}): {n_cut} of {one.n_items} "
                f"prompts are too long and lose the beginning of their examples, '{item_id}' of {target} {excess} "
                "tokens"
            )


class _Measure:
    """Lengths in one model's tokens, and how many tokens it reads at most."""

    def __init__(self, prepared: Prepared, model: str) -> None:
        self._prepared = prepared
        self._tokenizer: Any = load_tokenizer(prepared.models[model])
        self._longest = max_input_length(prepared.models[model], self._tokenizer)

    def examples(self, shown: Sequence[Example]) -> int:
        """The tokens of the examples alone."""
        return len(self._tokenizer.encode("".join(one.text for one in shown), add_special_tokens=False))

    def lengths(self, target: Cell, items: Sequence[Item]) -> dict[str, int]:
        """By item ID, the tokens of the longest sequence that is read for it."""
        chat_template = self._prepared.study.scoring.chat_template
        if self._prepared.tasks[target.task].generates:
            texts = {one.id: chat_context(one, self._tokenizer) if chat_template else one.context for one in items}
            return {item_id: len(self._tokenizer.encode(text)) for item_id, text in texts.items()}
        encoded = encode_items(items, self._tokenizer, chat_template=chat_template).items
        return {one.item.id: len(one.context) + max(map(len, one.continuations)) for one in encoded}

    def cut(self, target: Cell, plain: Mapping[str, int], shown: Sequence[Example]) -> Iterator[tuple[str, int]]:
        """(item ID, tokens cut) of the items that are too long after the examples."""
        room = self._room(target)
        near = room - self.examples(shown) - _SEAM
        items = [item for item in self._prepared.cells[target].test if plain.get(item.id, 0) > near]
        lengths = self.lengths(target, [with_examples(item, shown) for item in items])
        yield from ((item_id, length - room) for item_id, length in lengths.items() if length > room)

    def _room(self, target: Cell) -> int:
        """How many tokens fit: all but what a generation sets aside; the last token of an option is never read."""
        task = self._prepared.tasks[target.task]
        if task.generates:
            return self._longest - generation_rules(task, target.language).max_new_tokens
        return self._longest + 1
