"""Packed rows: every line whole and once, and the loss of lines side by side equal to that of lines alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from donorgrid.pocket.packing import mean_loss, packed_batches

LINES = st.lists(st.lists(st.integers(1, 90), min_size=2, max_size=16), min_size=1, max_size=30)


@given(encoded=LINES, batch_rows=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_line_is_packed_whole_once_and_in_order(encoded, batch_rows):
    unpacked = []
    for batch in packed_batches(encoded, 16, batch_rows):
        assert batch.ids.shape == batch.positions.shape == batch.line.shape
        assert batch.ids.shape[0] <= batch_rows
        for ids, positions, line in zip(batch.ids, batch.positions, batch.line, strict=True):
            for number in range(int(line.max()) + 1):
                assert positions[line == number].tolist() == list(range(int((line == number).sum())))
                unpacked.append(ids[line == number].tolist())
    assert unpacked == encoded


@torch.no_grad()
def test_the_packed_loss_is_the_mean_over_the_tokens_of_lines_read_alone():
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=91,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.3,
        )
    ).eval()
    encoded = [torch.randint(1, 91, (length,)).tolist() for length in (5, 9, 3, 12, 2, 7)]
    (batch,) = packed_batches(encoded, 20, 8)
    alone = []
    for ids in encoded:
        logits = torch.log_softmax(model(torch.tensor([ids])).logits[0, :-1], -1)
        alone += logits[range(len(ids) - 1), ids[1:]].tolist()
    assert mean_loss(model, batch).item() == pytest.approx(-sum(alone) / len(alone), abs=1e-5)
