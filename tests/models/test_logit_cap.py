"""Capped logits, as Gemma 2 has them: tanh(x / cap) * cap."""

from types import SimpleNamespace

import pytest
import torch

from donorgrid.models.output_head import head_logits


@pytest.mark.parametrize("cap", [None, 2.0, 30.0])
def test_logits_are_capped_once(cap: float | None) -> None:
    config = SimpleNamespace(final_logit_softcapping=cap)
    head = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.eye_(head.weight)
    network = SimpleNamespace(
        get_output_embeddings=lambda: head,
        config=SimpleNamespace(get_text_config=lambda: config),
    )
    hidden = torch.tensor([[-50.0, -1.0, 0.0, 3.0]])
    expected = hidden if cap is None else torch.tanh(hidden / cap) * cap
    assert torch.allclose(head_logits(network, hidden), expected)
