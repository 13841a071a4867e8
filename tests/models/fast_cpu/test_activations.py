"""The gated activations and the log-sum-exp against torch's own, values and gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import gelu, silu

from donorgrid.models.fast_cpu.activations import GATED_ACTIVATIONS, logsumexp_rows

_TORCH = {"SiLU": silu, "GELUTanh": lambda gate: gelu(gate, approximate="tanh")}


def random_tensor(*shape: int, scale: float = 1.0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))) * scale


@pytest.mark.parametrize("name", sorted(_TORCH))
@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_gated_activation(name: str, scale: float) -> None:
    gate_up, grad_output = random_tensor(9, 64, scale=scale).requires_grad_(), random_tensor(9, 32)
    gate, up = gate_up.double().chunk(2, dim=1)
    expected, activation = _TORCH[name](gate) * up, GATED_ACTIVATIONS[name]
    torch.testing.assert_close(activation.forward(gate_up.detach()).double(), expected, rtol=1e-5, atol=1e-6)
    (expected_grad,) = torch.autograd.grad(expected, gate_up, grad_output.double())
    grad_gate_up = activation.backward(grad_output, gate_up.detach().clone())
    torch.testing.assert_close(grad_gate_up, expected_grad, rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 5), width=st.integers(1, 300), scale=st.floats(0.01, 200))
def test_logsumexp_rows(n: int, width: int, scale: float) -> None:
    logits = random_tensor(n, width, scale=scale)
    torch.testing.assert_close(logsumexp_rows(logits).double(), logits.double().logsumexp(-1), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_nan_and_infinity_stay_in_their_row(bad: float) -> None:
    x = random_tensor(4, 32)
    x[2, 5] = bad
    results = [logsumexp_rows(x)[:, None]]
    for activation in GATED_ACTIVATIONS.values():
        results += [activation.forward(x), activation.backward(random_tensor(4, 16), x.clone())]
    for result in results:
        assert not result[2].isfinite().all()
        assert result[[0, 1, 3]].isfinite().all()
