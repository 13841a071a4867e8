"""What a model's tokenizer makes of a study's texts: how many are cut, and by how much, and which cannot be scored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError, naming
from donorgrid.core.records import Cell, TextEncoding, TrainingText
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.text_encoding import text_encoding
from donorgrid.pipeline.prepare.tokenizers import check_chat_template, max_input_length, n_tokens_cut
from donorgrid.score.encode import encode_items
from donorgrid.train.encode import encode_texts


@dataclass(frozen=True, kw_only=True)
class TokenCounts:
    """One split of one cell.

    Attributes
    ----------
    kept : int
        The texts or items that can be used.
    cut : tuple of (str, int)
        The ID and the tokens cut, for those that are too long.
    invalid : tuple of (str, str)
        The ID and the reason, for those that cannot be scored.
    """

    kept: int
    cut: tuple[tuple[str, int], ...]
    invalid: tuple[tuple[str, str], ...] = ()


Counted = Mapping[Cell, Mapping[str, TokenCounts]]


def count_tokens(prepared: Prepared, model: str) -> Counted:
    """What one model's tokenizer makes of a study's texts.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.

    Returns
    -------
    mapping of Cell to mapping of str to TokenCounts
        By cell and split (train, test). Targets whose answers are generated have no test split here.

    Raises
    ------
    InputError
        If no item of a target can be scored, or the tokenizer lacks the chat template that the study asks for.
    """
    folder = prepared.models[model]
    tokenizer = load_tokenizer(folder)
    max_length = max_input_length(folder, tokenizer)
    chat_template, arguments = prepared.study.scoring.chat_template, prepared.study.scoring.chat_template_args
    if chat_template:
        check_chat_template(folder, tokenizer)
    recipes = dict.fromkeys(run.recipe for run in prepared.grid.runs)
    encodings = [text_encoding(prepared.study, recipe, max_length) for recipe in recipes]
    counts: dict[Cell, dict[str, TokenCounts]] = {cell: {} for cell in prepared.grid.cells}
    for cell in prepared.grid.source_cells:
        with naming(f"source '{cell}' with {model}"):
            counts[cell]["train"] = _train_counts(prepared.cells[cell].train, tokenizer, encodings)
    for cell in prepared.grid.targets:
        if prepared.tasks[cell.task].generates:
            continue
        encoded = encode_items(
            prepared.cells[cell].test, tokenizer, chat_template=chat_template, chat_template_args=arguments
        )
        if not encoded.items:
            item_id, reason = encoded.invalid[0]
            raise InputError(f"target '{cell}': no item can be scored with {model}; the first, '{item_id}': {reason}")
        excess = ((item.item.id, n_tokens_cut(item, max_length)) for item in encoded.items)
        cut = tuple((item_id, n_cut) for item_id, n_cut in excess if n_cut)
        counts[cell]["test"] = TokenCounts(kept=len(encoded.items), cut=cut, invalid=encoded.invalid)
    return counts


def _train_counts(texts: Sequence[TrainingText], tokenizer: Any, encodings: Sequence[TextEncoding]) -> TokenCounts:
    """The tokens that the recipe that cuts most takes away from each text."""
    by_recipe = [encode_texts(texts, tokenizer, encoding) for encoding in encodings]
    n_cut = [max(encoded.n_cut for encoded in of_text) for of_text in zip(*by_recipe, strict=True)]
    cut = ((text.item_id, n_tokens) for text, n_tokens in zip(texts, n_cut, strict=True) if n_tokens)
    return TokenCounts(kept=len(texts), cut=tuple(cut))


def token_notes(model: str, counted: Counted) -> Iterator[str]:
    """Lines on the splits that do not reach the model whole.

    Parameters
    ----------
    model : str
        The model's name.
    counted : mapping
        What ``count_tokens`` gives for it.

    Yields
    ------
    str
        One line per split and kind of loss.
    """
    for cell, splits in counted.items():
        for split, counts in splits.items():
            if counts.cut:
                item_id, excess = max(counts.cut, key=lambda item: item[1])
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
