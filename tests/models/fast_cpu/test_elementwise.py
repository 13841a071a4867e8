"""Compiled functions against torch's own, values and gradients, and what is not a number stays one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import rms_norm as torch_rms_norm
from torch.nn.functional import silu

from donorgrid.models.fast_cpu.compiled import exponential
from donorgrid.models.fast_cpu.elementwise import (
    Rotary,
    gated,
    gated_backward,
    logsumexp_rows,
    norm_heads,
    norm_heads_backward,
    rms_norm,
    rms_norm_backward,
)

EPS = 1e-5


def random(*shape: int, scale: float = 1.0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))) * scale


def gradient(found: Tensor, by: Tensor, slope: Tensor) -> Tensor:
    (of_by,) = torch.autograd.grad(found, by, slope)
    return of_by


@given(st.floats(-80, 80, width=32))
def test_exponential_is_within_rounding(x: float) -> None:
    assert exponential(np.float32(x)) == pytest.approx(math.exp(np.float32(x)), rel=3e-7)


def test_exponential_beyond_its_range() -> None:
    assert exponential(np.float32(-80.5)) == 0.0
    assert exponential(np.float32(-math.inf)) == 0.0
    assert exponential(np.float32(200.0)) == exponential(np.float32(80.0)) > 1e34
    assert math.isnan(exponential(np.float32(math.nan)))


@pytest.mark.parametrize(("tokens", "width"), [(1, 8), (7, 33), (20, 256)])
def test_rms_norm(tokens: int, width: int) -> None:
    x, weight, slope, before = (
        random(*shape) for shape in [(tokens, width), (width,), (tokens, width), (tokens, width)]
    )
    expected = torch_rms_norm(x.requires_grad_(), (width,), weight, EPS)
    found, inverse = rms_norm(x.detach(), weight, EPS)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    of_x = rms_norm_backward(slope, x.detach(), inverse, weight, into=before.clone())
    torch.testing.assert_close(of_x, before + gradient(expected, x, slope), rtol=1e-5, atol=1e-5)


def test_norm_heads_changes_its_columns_only() -> None:
    x, weight, slope = random(5, 40), random(8), random(5, 40)
    leaf = x[:, 8:32].clone().requires_grad_()
    expected = torch_rms_norm(leaf.view(5, 3, 8), (8,), weight, EPS).view(5, 24)
    found = x.clone()
    raw, inverse = norm_heads(found, 8, 3, weight, EPS)
    torch.testing.assert_close(found, torch.cat([x[:, :8], expected, x[:, 32:]], 1), rtol=1e-5, atol=1e-6)
    of_x = slope.clone()
    norm_heads_backward(of_x, 8, raw, inverse, weight)
    of_columns = gradient(expected, leaf, slope[:, 8:32])
    torch.testing.assert_close(of_x, torch.cat([slope[:, :8], of_columns, slope[:, 32:]], 1), rtol=1e-5, atol=1e-5)


def test_rotary_turns_its_heads_and_back() -> None:
    x, angles = random(6, 40), random(6, 4).repeat(1, 2)
    found = x.clone()
    rotary = Rotary(angles.cos(), angles.sin(), n_heads=3)
    rotary.turn(found)
    heads = x[:, :24].view(6, 3, 8)
    swapped = torch.cat([-heads[..., 4:], heads[..., :4]], -1)
    expected = (heads * angles.cos()[:, None] + swapped * angles.sin()[:, None]).view(6, 24)
    torch.testing.assert_close(found, torch.cat([expected, x[:, 24:]], 1))
    rotary.turn_back(found)
    torch.testing.assert_close(found, x)


@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_gated(scale: float) -> None:
    both, slope = random(9, 64, scale=scale).requires_grad_(), random(9, 32)
    gate, up = both.chunk(2, dim=1)
    expected = silu(gate) * up
    torch.testing.assert_close(gated(both.detach()), expected, rtol=1e-5, atol=1e-6)
    found = gated_backward(slope, both.detach().clone())
    torch.testing.assert_close(found, gradient(expected, both, slope), rtol=1e-5, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 5), width=st.integers(1, 300), scale=st.floats(0.01, 200))
def test_log_sums(n: int, width: int, scale: float) -> None:
    logits = random(n, width, scale=scale)
    torch.testing.assert_close(logsumexp_rows(logits).double(), logits.double().logsumexp(-1), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_a_number_is_not_lost(bad: float) -> None:
    x = random(4, 32)
    x[2, 5] = bad
    weight = torch.ones(32)
    for found in (
        rms_norm(x, weight, EPS)[0],
        logsumexp_rows(x)[:, None],
        gated(x),
        gated_backward(random(4, 16), x.clone()),
    ):
        assert not found[2].isfinite().all()
        assert found[[0, 1, 3]].isfinite().all()
