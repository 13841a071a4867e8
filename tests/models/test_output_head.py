"""Losses of the output head against cross entropy, with their gradients."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from donorgrid.models import output_head
from donorgrid.models.output_head import head_logits, target_loglik_nats, token_losses_nats


def network(*, bias: bool = False, learns: bool = False, cap: float | None = None) -> Any:
    """What ``heads`` asks of a network."""
    torch.manual_seed(0)
    head = nn.Linear(12, 40, bias=bias).requires_grad_(learns)
    config = SimpleNamespace(final_logit_softcapping=cap)
    return SimpleNamespace(get_output_embeddings=lambda: head, config=SimpleNamespace(get_text_config=lambda: config))


@pytest.mark.parametrize(
    "settings", [{}, {"bias": True}, {"learns": True}, {"cap": 5.0}], ids=["plain", "bias", "learns", "capped"]
)
def test_losses_and_gradients_are_those_of_cross_entropy(settings: dict[str, Any]) -> None:
    net = network(**settings)
    hidden, targets = torch.randn(9, 12) * 3, torch.randint(0, 40, (9,))
    slope, found_of, expected_of = torch.rand(9), hidden.clone().requires_grad_(), hidden.clone().requires_grad_()
    found = token_losses_nats(net, found_of, targets)
    expected = cross_entropy(head_logits(net, expected_of), targets, reduction="none")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    (found * slope).sum().backward()
    (expected * slope).sum().backward()
    torch.testing.assert_close(found_of.grad, expected_of.grad, rtol=1e-4, atol=1e-5)


def test_losses_without_gradients_and_what_is_not_a_number() -> None:
    net, hidden = network(), torch.randn(3, 12)
    hidden[1, 0] = torch.nan
    with torch.no_grad():
        losses = token_losses_nats(net, hidden, torch.tensor([1, 2, 3]))
    assert losses.isnan().tolist() == [False, True, False]


def test_losses_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    net, hidden, targets = network(), torch.randn(9, 12), torch.randint(0, 40, (9,))
    whole = token_losses_nats(net, hidden, targets)
    monkeypatch.setattr(output_head, "_N_LOSS_LOGITS", 4 * 40)
    torch.testing.assert_close(token_losses_nats(net, hidden, targets), whole)


@pytest.mark.parametrize("settings", [{}, {"bias": True}, {"cap": 5.0}], ids=["plain", "bias", "capped"])
def test_loglik_of_a_large_vocabulary_by_blocks(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 7 tokens of 40, and several targets per hidden state."""
    monkeypatch.setattr(output_head, "_LARGE_VOCABULARY", 40)
    monkeypatch.setattr(output_head, "_VOCABULARY_BLOCK", 7)
    net, hidden = network(**settings), torch.randn(3, 12) * 20
    hidden_indices, targets = torch.tensor([0, 0, 1, 2, 2]), torch.tensor([0, 39, 6, 7, 35])
    with torch.no_grad():
        nats = target_loglik_nats(net, hidden, hidden_indices, targets)
        expected = head_logits(net, hidden).double().log_softmax(-1)[hidden_indices, targets]
    torch.testing.assert_close(nats.double(), expected, rtol=1e-6, atol=1e-5)
