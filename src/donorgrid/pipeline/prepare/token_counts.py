"""What a model's tokenizer makes of a study's texts: how many are cut, and by how much, and which cannot be scored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.score.encode import encode_items
from donorgrid.train.encode import encode_texts


@dataclass(frozen=True, kw_only=True)
class TokenCounts:
    """One split of one cell: items kept, (ID, tokens cut) of those too long, (ID, reason) of those invalid."""

    kept: int
    cut: tuple[tuple[str, int], ...]
    invalid: tuple[tuple[str, str], ...] = ()


Counted = Mapping[Cell, Mapping[str, TokenCounts]]


def count_tokens(prepared: Prepared, model: str) -> Counted:
    """The counts of one model, by cell and split (train, test)."""
    folder = prepared.models[model]
    tokenizer = load_tokenizer(folder)
    longest = max_input_length(folder, tokenizer)
    found: dict[Cell, dict[str, TokenCounts]] = {cell: {} for cell in prepared.grid.cells}
    for cell in prepared.grid.source_cells:
        texts = prepared.cells[cell].train
        whole = encode_texts([replace(text, max_tokens=None) for text in texts], tokenizer)
        over = (
            (text, len(ids.token_ids) - (text.max_tokens or len(ids.token_ids)))
            for text, ids in zip(texts, whole, strict=True)
        )
        cut = tuple((text.item_id, excess) for text, excess in over if excess > 0)
        found[cell]["train"] = TokenCounts(kept=len(texts), cut=cut)
    for cell in (one for one in prepared.grid.targets if not prepared.tasks[one.task].generates):
        chat_template = prepared.study.scoring.chat_template
        encoded = encode_items(prepared.cells[cell].test, tokenizer, chat_template=chat_template)
        if not encoded.items:
            item_id, reason = encoded.invalid[0]
            raise InputError(f"target '{cell}': no item can be scored with {model}; the first, '{item_id}': {reason}")
        lengths = ((one.item.id, len(one.context) + max(map(len, one.continuations))) for one in encoded.items)
        cut = tuple((item_id, length - longest - 1) for item_id, length in lengths if length > longest + 1)
        found[cell]["test"] = TokenCounts(kept=len(encoded.items), cut=cut, invalid=encoded.invalid)
    return found


def token_notes(model: str, counted: Counted) -> Iterator[str]:
    """A line for every split that does not reach the model whole."""
    for cell, splits in counted.items():
        for split, counts in splits.items():
            if counts.cut:
                item_id, excess = max(counts.cut, key=lambda one: one[1])
                yield (
                    f"{model}, {cell}: {len(counts.cut)} of {counts.kept} {split} items are too long and cut, "
                    f"'{item_id}' by {excess} tokens"
                )
            if counts.invalid:
                item_id, reason = counts.invalid[0]
                yield (
                    f"{model}, {cell}: {len(counts.invalid)} {split} items cannot be scored; "
                    f"the first is '{item_id}': {reason}"
                )
