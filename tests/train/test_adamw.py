"""The stacked optimizer against torch's, row by row."""

import pytest
import torch

from donorgrid.train.adamw import StackedAdamW, clip_rows


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_each_row_moves_as_torchs_adamw_moves_it(weight_decay: float) -> None:
    torch.manual_seed(0)
    values = torch.randn(3, 50)
    rates = [0.1, 0.01, 0.003]
    rows = [torch.nn.Parameter(row.clone()) for row in values]
    theirs = [
        torch.optim.AdamW([row], lr=rate, weight_decay=weight_decay) for row, rate in zip(rows, rates, strict=True)
    ]
    ours = StackedAdamW(values, weight_decay=weight_decay)
    for step in range(8):
        gradients = torch.randn(3, 50) * 10.0 ** (step % 3 - 1)
        for row, gradient, optimizer in zip(rows, gradients, theirs, strict=True):
            row.grad = gradient.clone()
            torch.nn.utils.clip_grad_norm_([row], 1.0)
            optimizer.step()
        norms = gradients.norm(dim=1)
        assert torch.allclose(clip_rows(gradients, 1.0), norms)
        ours.step(gradients, rates)
    assert torch.allclose(values, torch.stack([row.detach() for row in rows]), atol=1e-6)


def test_rows_that_stay_go_on_as_before() -> None:
    torch.manual_seed(0)
    gradients = torch.randn(6, 3, 20)
    rates = [0.01, 0.01, 0.01]
    whole, part = torch.zeros(3, 20), torch.zeros(3, 20)
    of_whole, of_part = StackedAdamW(whole, weight_decay=0.0), StackedAdamW(part, weight_decay=0.0)
    for step in range(3):
        of_whole.step(gradients[step], rates)
        of_part.step(gradients[step], rates)
    part = part[[0, 2]].clone()
    of_part = of_part.select(part, [0, 2])
    for step in range(3, 6):
        of_whole.step(gradients[step], rates)
        of_part.step(gradients[step, [0, 2]], rates[:2])
    assert torch.equal(whole[[0, 2]], part)
