"""Joined linear modules with adapters against autograd."""

import pytest
import torch
from torch import nn

from donorgrid.models.fast_cpu.linear import JoinedLinear
from donorgrid.models.low_rank import LowRankAdapter, split_factors

NAMES = ("q", "k", "v")


def modules(*, bias: bool = False) -> list[nn.Linear]:
    torch.manual_seed(0)
    return [nn.Linear(6, width, bias=bias).requires_grad_(False) for width in (8, 4, 4)]


def random_adapter() -> LowRankAdapter:
    shapes = {"q": ((2, 6), (8, 2)), "v": ((3, 6), (4, 3))}
    return LowRankAdapter(values=torch.randn(58).requires_grad_(), shapes=shapes, scaling=1.5)


@pytest.mark.parametrize("bias", [False, True])
def test_outputs_and_gradients(bias: bool) -> None:
    linear, adapter = modules(bias=bias), random_adapter()
    x, residual, grad_y = torch.randn(5, 6).requires_grad_(), torch.randn(5, 16), torch.randn(5, 16)
    factors = split_factors(adapter.values, adapter.shapes)
    outputs = [module(x) for module in linear]
    for index, name in ((0, "q"), (2, "v")):
        a, b = factors[name]
        outputs[index] = outputs[index] + 1.5 * x @ a.T @ b.T
    expected = torch.cat(outputs, 1) + residual
    expected_grad_x, expected_grad_values = torch.autograd.grad(expected, (x, adapter.values), grad_y)
    joined = JoinedLinear(NAMES, linear)
    with torch.no_grad():
        y, saved = joined.forward(x, adapter, residual=residual)
        in_place, _ = joined.forward(x, adapter, residual=residual.clone(), in_place=True)
        gradients = adapter.with_values(torch.full((58,), torch.nan))
        grad_x = joined.backward(grad_y, x, saved, gradients)
        only_adapter = adapter.with_values(torch.full((58,), torch.nan))
        joined.backward_adapter(grad_y, x, saved, only_adapter)
    torch.testing.assert_close(y, expected.detach())
    assert torch.equal(in_place, y)
    torch.testing.assert_close(grad_x, expected_grad_x)
    torch.testing.assert_close(gradients.values, expected_grad_values)
    assert torch.equal(only_adapter.values, gradients.values)


def test_residual_is_kept_unless_in_place() -> None:
    residual = torch.randn(5, 16)
    unchanged = residual.clone()
    JoinedLinear(NAMES, modules()).forward(torch.randn(5, 6), None, residual=residual)
    assert torch.equal(residual, unchanged)


def test_modules_without_an_adapter() -> None:
    linear, x = modules(), torch.randn(5, 6)
    joined = JoinedLinear(("other", "names", "here"), linear)
    y, saved = joined.forward(x, random_adapter())
    assert saved is None
    torch.testing.assert_close(y, torch.cat([module(x) for module in linear], 1))
    torch.testing.assert_close(joined.backward(y, x, None, random_adapter()), y @ torch.cat([m.weight for m in linear]))


def test_replaced_weights_are_joined_again() -> None:
    linear, x = modules(), torch.randn(5, 6)
    joined = JoinedLinear(NAMES, linear)
    linear[1].weight.data = torch.zeros(4, 6)
    joined.prepare()
    assert (joined.forward(x, None)[0][:, 8:12] == 0.0).all()
    linear[1].weight.data.fill_(1.0)
    torch.testing.assert_close(joined.forward(x, None)[0][:, 8:12], x.sum(1, keepdim=True).expand(5, 4))
