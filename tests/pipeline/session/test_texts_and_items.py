"""A training text and the item that it comes from are the same tokens, and those of lm-eval, for every tokenizer."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tokenizers import processors
from transformers import AutoTokenizer

from donorgrid.core.records import CellItems, Item, TextEncoding, TrainingText
from donorgrid.score.encode import chat_context, encode_items
from donorgrid.score.sequences import scored_sequence
from donorgrid.tasks import find_task, load_cell
from donorgrid.train.encode import EncodedText, encode_texts
from worlds import CHAT_TEMPLATE, give_chat_template, make_checkpoint, make_task

pytestmark = pytest.mark.filterwarnings("default")
REAL = sorted(Path(os.environ.get("DONORGRID_REAL_MODELS", "/nowhere")).glob("*/tokenizer.json"))
FORMATS = {
    "plain": {},
    "loose": {"doc_to_text": "{{question}}\n "},
    "tight": {"doc_to_text": "{{question}}", "target_delimiter": ""},
    "opened": {"description": "Answer well. ", "gen_prefix": "The answer:"},
    "block": {"train": {"prompt": "{{question}}", "target": " {{ choice }}"}},
}
"""Keys of a task whose training texts say the same as its items, by the evaluation's format or by a block."""


def ends_every_text(tokenizer: Any) -> Any:
    """The tokenizer with EOS after every text, as T5's and some Llama conversions have it."""
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", pair="<bos> $A <bos> $B <eos>", special_tokens=[("<bos>", 0), ("<eos>", 1)]
    )
    return tokenizer


def writes_bos(tokenizer: Any) -> Any:
    tokenizer.chat_template = "{{ bos_token }}" + CHAT_TEMPLATE
    return tokenizer


TOKENIZERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "with BOS": ("llama", lambda tokenizer: tokenizer),
    "without BOS": ("qwen2", lambda tokenizer: tokenizer),
    "EOS after every text": ("llama", ends_every_text),
    "a template that writes BOS": ("llama", writes_bos),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizers")
    for kind in ("llama", "qwen2"):
        give_chat_template(make_checkpoint(kind, folder / kind))
    return folder


@cache
def tokenizer_named(name: str, folder: Path) -> Any:
    if name not in TOKENIZERS:
        return AutoTokenizer.from_pretrained(name)
    kind, change = TOKENIZERS[name]
    return change(AutoTokenizer.from_pretrained(folder / kind))


def cell_of(folder: Path, keys: dict[str, Any]) -> CellItems:
    """A cell whose training split is its test split."""
    path = make_task(folder, train=5, test=5)
    files = dict.fromkeys(("train", "test"), "colours-{language}-test.jsonl")
    content = {**yaml.safe_load(path.read_text()), "dataset_kwargs": {"data_files": files}, **keys}
    path.write_text(yaml.safe_dump(content))
    return load_cell(find_task(path.name, folder=folder), "it", sources={})


def lm_eval_side(tokenizer: Any) -> Any:
    """lm-eval's model with a tokenizer and without weights."""
    from lm_eval.models.huggingface import HFLM

    side = HFLM.__new__(HFLM)
    side.tokenizer, side.backend, side.add_bos_token, side.custom_prefix_token_id = tokenizer, "causal", None, None
    return side


def ids_of(item: Item, tokenizer: Any, *, chat: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    (encoded,) = encode_items([item], tokenizer, chat_template=chat).items
    return encoded.context, encoded.continuations[item.answer]


def encoded_text(text: TrainingText, tokenizer: Any, **encoding: Any) -> EncodedText:
    (encoded,) = encode_texts([text], tokenizer, TextEncoding(**encoding))
    return encoded


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat template"])
@pytest.mark.parametrize("keys", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("name", [*TOKENIZERS, *(str(path.parent) for path in REAL)])
def test_a_text_and_its_item_are_the_same_tokens_as_in_lm_eval(
    folder: Path, tmp_path: Path, name: str, keys: dict[str, Any], chat: bool
) -> None:
    tokenizer = tokenizer_named(name, folder)
    if chat and not tokenizer.chat_template:
        pytest.skip("the tokenizer has no chat template")
    cell = cell_of(tmp_path, keys)
    side = lm_eval_side(tokenizer)
    for text, item in zip(cell.train, cell.test, strict=True):
        context, continuation = ids_of(item, tokenizer, chat=chat)
        encoded = encoded_text(text, tokenizer, template_args={} if chat else None, append_eos=False)
        assert encoded.token_ids == (*context, *continuation)
        assert encoded.supervised == (False,) * len(context) + (True,) * len(continuation)
        written = chat_context(item, tokenizer) if chat else item.context
        delimiter = item.chat_delimiter if chat else item.delimiter
        theirs = side._encode_pair(written, delimiter + item.choices[item.answer])
        assert (list(context), list(continuation)) == tuple(theirs)


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat template"])
def test_texts_and_items_that_are_too_long_lose_the_same_tokens(folder: Path, tmp_path: Path, chat: bool) -> None:
    tokenizer = tokenizer_named("with BOS", folder)
    cell = cell_of(tmp_path, {})
    for text, item in zip(cell.train, cell.test, strict=True):
        (encoded,) = encode_items([item], tokenizer, chat_template=chat).items
        scored = scored_sequence(encoded, encoded.continuations[item.answer], 9)
        trained = encoded_text(text, tokenizer, template_args={} if chat else None, append_eos=False, max_length=9)
        assert trained.n_cut
        assert (trained.token_ids, trained.n_supervised) == (scored.token_ids, scored.n_scored)


@pytest.mark.parametrize("name", ["with BOS", "without BOS", *(str(path.parent) for path in REAL)])
def test_an_answer_ends_its_turn_as_the_template_ends_it(folder: Path, tmp_path: Path, name: str) -> None:
    tokenizer = tokenizer_named(name, folder)
    if not tokenizer.chat_template:
        pytest.skip("the tokenizer has no chat template")
    text = cell_of(tmp_path, {}).train[0]
    answer = text.target.strip()
    rows = [{"role": "user", "content": text.prompt}, {"role": "assistant", "content": answer}]
    written = tokenizer.apply_chat_template(rows, tokenize=False)
    plain, ended = (
        encoded_text(text, tokenizer, template_args={}, append_eos=append_eos) for append_eos in (False, None)
    )
    end = ended.token_ids[len(plain.token_ids) :]
    assert end
    assert all(ended.supervised[-len(end) :])
    is_written = name not in TOKENIZERS  # the tests' own template writes a line break alone: EOS ends the turn
    assert written.startswith(tokenizer.decode(ended.token_ids)) == is_written
    assert is_written or end == (tokenizer.eos_token_id,)
