"""The additive mask: causal, within a text, and within the window."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from donorgrid.models import masks
from donorgrid.models.masks import additive_mask, rounding_gap_nats
from donorgrid.models.reader import Reader
from donorgrid.models.rows import packed_row, pad_rows

SHAPE = {"vocab_size": 300, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3}
SHAPE |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128}
SEQUENCES = [tuple(range(first, first + length)) for first, length in ((3, 9), (40, 30), (90, 41), (150, 12))]


def sharp(network, factor):
    """The network with larger weights: it prefers some tokens by many nats, and rounds as much more."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(factor)
    return network.eval().requires_grad_(False)


def seen(window: int | None) -> list[list[int]]:
    batch = pad_rows([packed_row([(1, 2, 3, 4), (5, 6)])])
    mask = additive_mask(batch, torch.float32, window=window)
    assert mask.shape == (1, 1, 6, 6)
    return (mask[0, 0] == 0).int().tolist()


def test_tokens_see_what_stands_before_them_in_their_own_text() -> None:
    assert seen(None) == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]


def test_a_window_of_two_is_the_token_and_the_last_one_before_it() -> None:
    assert seen(2) == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]


def rounds_by_shape(network, size):
    """As on a GPU, the products of each layer round otherwise for every number of tokens in a batch."""

    def rounded(_module, _arguments, output):
        generator = torch.Generator().manual_seed(output.shape[0] * output.shape[1])
        return output * (1 + size * torch.randn(output.shape[-1], generator=generator).to(output.dtype))

    for layer in network.get_decoder().layers:
        layer.mlp.register_forward_hook(rounded)


def test_a_model_that_rounds_much_is_packed(caplog) -> None:
    torch.manual_seed(0)
    network = sharp(LlamaForCausalLM(LlamaConfig(**SHAPE)), 8.0)
    rounds_by_shape(network, 1e-2)
    reader = Reader(network, may_use_fast_decoder=False)
    found = masks.find_mask_form(network, SEQUENCES, tolerance_nats=1e-4)
    assert found.form is None  # the gap is above what rounding makes in most models
    assert found.packing_gap_nats < 3 * rounding_gap_nats(network, SEQUENCES)
    reader.check(SEQUENCES)
    assert reader.can_pack
    assert not caplog.text


def test_nothing_rounds_otherwise_in_a_batch_of_copies_on_a_cpu() -> None:
    torch.manual_seed(0)
    assert rounding_gap_nats(LlamaForCausalLM(LlamaConfig(**SHAPE)).eval(), SEQUENCES) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_wrong_mask_is_refused_however_much_the_model_rounds(dtype, monkeypatch, caplog) -> None:
    torch.manual_seed(0)
    config = MistralConfig(**SHAPE, sliding_window=8)
    network = sharp(MistralForCausalLM(config), 8.0).to(dtype)
    right = masks.additive_mask
    monkeypatch.setattr(masks, "additive_mask", lambda batch, dtype, **_: right(batch, dtype, window=None))
    reader = Reader(network, may_use_fast_decoder=False)
    reader.check(SEQUENCES)
    assert not reader.can_pack
    assert "read one by one" in caplog.text
