"""Rotary embeddings against the formula, and back."""

import torch

from donorgrid.models.fast_cpu.rotary import Rotary


def test_rotary_rotates_its_heads_and_back() -> None:
    generator = torch.Generator().manual_seed(0)
    x, angles = torch.randn(6, 40, generator=generator), torch.randn(6, 4, generator=generator).repeat(1, 2)
    rotated = x.clone()
    rotary = Rotary(angles.cos(), angles.sin(), n_heads=3)
    rotary.rotate(rotated)
    heads = x[:, :24].view(6, 3, 8)
    swapped = torch.cat([-heads[..., 4:], heads[..., :4]], -1)
    expected = (heads * angles.cos()[:, None] + swapped * angles.sin()[:, None]).view(6, 24)
    torch.testing.assert_close(rotated, torch.cat([expected, x[:, 24:]], 1))
    rotary.rotate_back(rotated)
    torch.testing.assert_close(rotated, x)
