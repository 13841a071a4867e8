"""Where the loss lies, and what of a long text is kept."""

from dataclasses import replace

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import TrainingText
from donorgrid.models.loading import Base
from donorgrid.train.encode import EncodedText, encode_texts

TEXT = TrainingText(item_id="one", prompt="which is red number\nblue", target=" green two")


def encode(text: TrainingText, base: Base) -> EncodedText:
    (encoded,) = encode_texts([text], base.tokenizer)
    return encoded


def supervised_text(encoded: EncodedText, base: Base) -> str:
    return base.tokenizer.decode(
        [token for token, read in zip(encoded.token_ids, encoded.supervised, strict=True) if read]
    )


def test_apart_has_no_special_token_and_reads_the_target(llama: Base) -> None:
    encoded = encode(TEXT, llama)
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
