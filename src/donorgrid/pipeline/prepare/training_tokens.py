"""What a model's tokenizer makes of a study's training texts, and whether the scorer would read them otherwise."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from donorgrid.core.records import Cell, Recipe, TextEncoding
from donorgrid.models.encoding.chat import special_tokens
from donorgrid.models.encoding.names import token_names
from donorgrid.models.loading import load_tokenizer
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.text_encoding import text_encoding
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.train.encode import TextEnds, encode_texts


@dataclass(frozen=True, kw_only=True)
class TrainingTokens:
    """How the training texts of one recipe become a model's tokens.

    Attributes
    ----------
    model, recipe : str
        The names of both.
    tokenise : str
        The recipe's way, for texts whose task does not say it.
    chat_template : bool
        Whether texts are read under the chat template.
    append_eos : bool
        Whether texts get an end.
    end : tuple of str
        Its tokens by name.
    differing : mapping of Cell to (int, int)
        For cells with texts that the scorer would read otherwise: how many, of how many.
    missing : tuple of str
        The special tokens, by name, that the scorer reads and those texts lack.
    """

    model: str
    recipe: str
    tokenise: str
    chat_template: bool
    append_eos: bool
    end: tuple[str, ...]
    differing: Mapping[Cell, tuple[int, int]]
    missing: tuple[str, ...]


def training_tokens(prepared: Prepared, model: str) -> tuple[TrainingTokens, ...]:
    """How the training texts of a study become a model's tokens, by recipe.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.

    Returns
    -------
    tuple of TrainingTokens
        In the order of the study's recipes.

    Raises
    ------
    InputError
        If a text has no token for the loss, or the tokenizer lacks a chat template or an end.
    """
    folder = prepared.models[model]
    tokenizer = load_tokenizer(folder)
    max_length = max_input_length(folder, tokenizer)
    recipes = dict.fromkeys(run.recipe for run in prepared.grid.runs)
    return tuple(
        _tokens_of(prepared, model, recipe, tokenizer, text_encoding(prepared.study, recipe, max_length))
        for recipe in recipes
    )


def _tokens_of(
    prepared: Prepared, model: str, recipe: Recipe, tokenizer: Any, encoding: TextEncoding
) -> TrainingTokens:
    texts = [text for cell in prepared.grid.source_cells for text in prepared.cells[cell].train]
    with_end = [text for text in texts if encoding.appends_eos(text)]
    ends = TextEnds(tokenizer, encoding)
    end_ids = dict.fromkeys(token for text in with_end for token in ends.of(text))
    differing, missing = _differences(prepared, tokenizer, encoding)
    return TrainingTokens(
        model=model,
        recipe=recipe.name,
        tokenise=recipe.tokenise,
        chat_template=any(encoding.reads_template(text) for text in texts),
        append_eos=bool(with_end),
        end=token_names(list(end_ids), tokenizer),
        differing=differing,
        missing=token_names(list(missing), tokenizer),
    )


def _differences(
    prepared: Prepared, tokenizer: Any, encoding: TextEncoding
) -> tuple[dict[Cell, tuple[int, int]], dict[int, None]]:
    """By cell, the texts that become other tokens than the scorer reads; the special tokens that they lack."""
    special = special_tokens(tokenizer)
    differing: dict[Cell, tuple[int, int]] = {}
    missing: dict[int, None] = {}
    for cell in prepared.grid.source_cells:
        texts = [text for text in prepared.cells[cell].train if encoding.way(text) != "joint"]
        scored = encode_texts(
            [replace(text, tokenise="joint", max_tokens=None) for text in texts],
            tokenizer,
            replace(encoding, append_eos=False, max_length=None),
        )
        trained = encode_texts(
            [replace(text, max_tokens=None, max_tokens_apart=None) for text in texts],
            tokenizer,
            replace(encoding, append_eos=False, max_length=None),
        )
        pairs = [pair for pair in zip(scored, trained, strict=True) if pair[0].token_ids != pair[1].token_ids]
        if pairs:
            differing[cell] = (len(pairs), len(prepared.cells[cell].train))
            missing |= {
                token: None
                for ours, theirs in pairs
                for token in ours.token_ids
                if token in special - {*theirs.token_ids}
            }
    return differing, missing


def encoding_notes(trained: Iterable[TrainingTokens]) -> Iterator[str]:
    """A line for every recipe that trains on other tokens than the scorer reads."""
    for tokens in trained:
        if tokens.differing:
            n_texts = sum(n for n, _ in tokens.differing.values())
            n_cells = f"{len(tokens.differing)} cell{'' if len(tokens.differing) == 1 else 's'}"
            lacking = f", without {' '.join(tokens.missing)}" if tokens.missing else ""
            yield (
                f"{tokens.model}, recipe '{tokens.recipe}': {n_texts:,} training texts of {n_cells} "
                f"become other tokens than the scorer reads{lacking} (tokenise: {tokens.tokenise}). This can cost "
                "accuracy (docs/results/real-models.md); 'tokenise: joint' trains on what the scorer reads"
            )
