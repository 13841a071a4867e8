"""Stacked adapters: whose gradients a loss gives, and what cannot be trained is said."""

import pytest
import torch

from donorgrid.core.errors import RunFailure
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters


@pytest.mark.parametrize("n", [1, 2])
def test_a_module_that_reads_nothing_cannot_be_trained(n: int) -> None:
    network = torch.nn.ModuleDict({"read": torch.nn.Linear(3, 4), "unread": torch.nn.Linear(3, 4)})
    layout = AdapterLayout(shapes=dict.fromkeys(("read", "unread"), ((2, 3), (4, 2))), scaling=1.0)
    stack = StackedAdapters(layout, torch.randn(n, 28))
    with stack.active(network, n_tokens=6):
        loss = network["read"](torch.randn(6, 3)).sum()
    with pytest.raises(RunFailure, match="module 'unread' reads nothing: it cannot be trained"):
        stack.gradients(loss)
