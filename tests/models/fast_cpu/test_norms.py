"""Norms against torch's own, values and gradients."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import rms_norm as torch_rms_norm

from donorgrid.models.fast_cpu.norms import norm_heads, norm_heads_backward, rms_norm, rms_norm_backward

EPS = 1e-5


def random_tensor(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize(("n_tokens", "width"), [(1, 8), (7, 33), (20, 256)])
def test_rms_norm(n_tokens: int, width: int) -> None:
    x, grad_normed, total = (random_tensor(n_tokens, width) + number for number in range(3))
    weight = random_tensor(width)
    expected = torch_rms_norm(x.requires_grad_(), (width,), weight, EPS)
    normed, inverse_rms = rms_norm(x.detach(), weight, EPS)
    torch.testing.assert_close(normed, expected, rtol=1e-5, atol=1e-6)
    (expected_grad,) = torch.autograd.grad(expected, x, grad_normed)
    grad_x = rms_norm_backward(grad_normed, x.detach(), inverse_rms, weight, add_to=total.clone())
    torch.testing.assert_close(grad_x, total + expected_grad, rtol=1e-5, atol=1e-5)


def test_norm_heads_changes_its_columns_only() -> None:
    x, weight, grad = random_tensor(5, 40), random_tensor(8), random_tensor(5, 40) + 1.0
    heads = x[:, 8:32].clone().requires_grad_()
    expected = torch_rms_norm(heads.view(5, 3, 8), (8,), weight, EPS).view(5, 24)
    normed = x.clone()
    raw, inverse_rms = norm_heads(normed, 8, 3, weight, EPS)
    torch.testing.assert_close(normed, torch.cat([x[:, :8], expected, x[:, 32:]], 1), rtol=1e-5, atol=1e-6)
    (expected_grad,) = torch.autograd.grad(expected, heads, grad[:, 8:32])
    grad_x = grad.clone()
    norm_heads_backward(grad_x, 8, raw, inverse_rms, weight)
    torch.testing.assert_close(grad_x, torch.cat([grad[:, :8], expected_grad, grad[:, 32:]], 1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_nan_and_infinity_stay_in_their_token(bad: float) -> None:
    x = random_tensor(4, 32)
    x[2, 5] = bad
    normed, _ = rms_norm(x, torch.ones(32), EPS)
    assert not normed[2].isfinite().all()
    assert normed[[0, 1, 3]].isfinite().all()
