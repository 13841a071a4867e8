"""Items as tokens: one BOS, whatever the context begins with, and options that give up a BOS of their own."""

from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Item
from donorgrid.models.encoding.pairs import tokenize
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_tokenizer
from donorgrid.score.encode import EncodedItem, encode_items

BOS = 0


def encoded(world: Path, context: str, *choices: str, delimiter: str = " ") -> EncodedItem:
    tokenizer = load_tokenizer(find_model("llama", revision=None, folder=world, built_in={}))
    cell = Cell(task="t", language="en")
    item = Item(id="q", cell=cell, context=context, choices=choices, answer=0, delimiter=delimiter)
    (one,) = encode_items([item], tokenizer, chat_template=False).items
    return one


def test_context_that_begins_with_bos_gets_no_second_one(world: Path) -> None:
    plain, written = (encoded(world, context, "red", "blue") for context in ("which is", "<bos>which is"))
    assert plain.context[0] == BOS
    assert BOS not in plain.context[1:]
    assert written.context == plain.context
    assert written.continuations == plain.continuations


def test_option_after_an_empty_context_gives_up_its_own_bos(world: Path) -> None:
    plain, written = (encoded(world, "", first, "blue", delimiter="") for first in ("red", "<bos>red"))
    assert plain.context == (BOS,)
    assert not any(BOS in tokens for tokens in plain.continuations)
    assert (written.context, written.continuations) == (plain.context, plain.continuations)


def test_whitespace_at_the_end_of_a_context_is_read_with_the_option(world: Path) -> None:
    loose, tight = encoded(world, "which is ", "red", "blue"), encoded(world, "which is", "red", "blue")
    assert loose.context == tight.context
    assert loose.continuations != tight.continuations


def test_a_tokenizer_without_bos_and_eos_reads_all_but_empty_contexts(world: Path) -> None:
    tokenizer = load_tokenizer(find_model("llama", revision=None, folder=world, built_in={}))
    expected = tokenize("which is", tokenizer)
    tokenizer.bos_token = tokenizer.eos_token = None
    assert tokenize("which is", tokenizer) == expected
    item = Item(id="q", cell=Cell(task="t", language="en"), context="", choices=("red", "blue"), answer=0)
    with pytest.raises(InputError, match="neither a BOS nor an EOS token"):
        encode_items([item], tokenizer, chat_template=False)
