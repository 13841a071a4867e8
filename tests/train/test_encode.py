"""Where the loss lies, and what of a long text is kept."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import TextEncoding, TrainingText
from donorgrid.models.loading import Base
from donorgrid.train.encode import EncodedText, encode_texts

TEXT = TrainingText(item_id="one", prompt="which is red number\nblue", target=" green two")


def encode(text: TrainingText, base: Base, **encoding: Any) -> EncodedText:
    (encoded,) = encode_texts([text], base.tokenizer, TextEncoding(**encoding))
    return encoded


def supervised_text(encoded: EncodedText, base: Base) -> str:
    return base.tokenizer.decode(
        [token for token, read in zip(encoded.token_ids, encoded.supervised, strict=True) if read]
    )


def test_apart_has_no_special_token_and_reads_the_target(llama: Base) -> None:
    encoded = encode(TEXT, llama, tokenise="apart")
    assert encoded.token_ids[0] != llama.tokenizer.bos_token_id
    assert supervised_text(encoded, llama) == TEXT.target
    assert llama.tokenizer.decode(encoded.token_ids) == TEXT.prompt + TEXT.target


def test_whole_begins_with_bos_and_reads_all_but_the_first(llama: Base) -> None:
    encoded = encode(replace(TEXT, tokenise="whole", loss_on="all"), llama)
    assert encoded.token_ids[0] == llama.tokenizer.bos_token_id
    assert encoded.supervised == (False,) + (True,) * (len(encoded.token_ids) - 1)


def test_whole_with_loss_on_the_target_reads_the_target(llama: Base) -> None:
    assert supervised_text(encode(replace(TEXT, tokenise="whole"), llama), llama) == TEXT.target


def test_long_text_keeps_the_end_it_names(llama: Base) -> None:
    whole = encode(TEXT, llama).token_ids
    assert encode(replace(TEXT, max_tokens=4), llama).token_ids == whole[-4:]
    assert encode(replace(TEXT, max_tokens=4, keep="start", loss_on="all"), llama).token_ids == whole[:4]
    assert encode(replace(TEXT, max_tokens=400), llama).token_ids == whole


def test_text_without_a_token_to_read_is_an_error(llama: Base) -> None:
    with pytest.raises(InputError, match="training text 'one': no token is left"):
        encode(replace(TEXT, max_tokens=3, keep="start"), llama)


def test_the_recipe_decides_where_the_task_does_not(llama: Base) -> None:
    ways = {
        (way, task): encode(replace(TEXT, tokenise=task), llama, tokenise=way)
        for way in ("joint", "apart")
        for task in (None, "joint", "apart")
    }
    assert ways["apart", "joint"] == ways["joint", "joint"] == ways["joint", None]
    assert ways["joint", "apart"] == ways["apart", "apart"] == ways["apart", None]
    assert ways["joint", None].token_ids == (llama.tokenizer.bos_token_id, *ways["apart", None].token_ids)


def test_a_recipe_that_tokenises_apart_reads_a_text_without_a_prompt_whole(llama: Base) -> None:
    every = replace(TEXT, loss_on="all")
    assert encode(every, llama, tokenise="apart") == encode(replace(every, tokenise="whole"), llama)


def test_a_limit_of_texts_apart_holds_for_them_alone(llama: Base) -> None:
    text = replace(TEXT, max_tokens_apart=4)
    joint, apart = encode(text, llama), encode(text, llama, tokenise="apart")
    assert (joint.n_cut, len(apart.token_ids)) == (0, 4)
    assert apart.n_cut == len(encode(TEXT, llama, tokenise="apart").token_ids) - 4
    assert encode(replace(text, tokenise="joint"), llama, tokenise="apart").n_cut == 0


def test_what_the_model_cannot_read_is_cut_as_the_scorer_cuts(llama: Base) -> None:
    whole = encode(TEXT, llama)
    cut = encode(TEXT, llama, max_length=5)
    assert cut.token_ids == whole.token_ids[-6:]  # the last token is only predicted
    assert (len(cut.input_ids), cut.n_cut) == (5, len(whole.token_ids) - 6)
    start = encode(replace(TEXT, max_tokens=7, keep="start", loss_on="all"), llama, max_length=3)
    assert start.token_ids == whole.token_ids[3:7]


def test_eos_is_appended_and_learned_once(llama: Base) -> None:
    eos = llama.tokenizer.eos_token_id
    for way in ("joint", "apart"):
        plain, ended = encode(TEXT, llama, tokenise=way), encode(TEXT, llama, tokenise=way, append_eos=True)
        assert ended.token_ids == (*plain.token_ids, eos)
        assert ended.supervised == (*plain.supervised, True)
    written = replace(TEXT, target=f"{TEXT.target}<eos>")
    assert encode(written, llama, append_eos=True).token_ids == encode(TEXT, llama, append_eos=True).token_ids


def test_an_end_that_the_tokenizer_lacks_is_one_line(llama: Base) -> None:
    tokenizer = copy.deepcopy(llama.tokenizer)
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="has no EOS token; set append_eos: false"):
        encode_texts([TEXT], tokenizer, TextEncoding(append_eos=True))
