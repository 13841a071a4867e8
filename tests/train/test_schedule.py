"""The learning rate at every step, against transformers' own schedules."""

import pytest
import torch
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup
from transformers import get_linear_schedule_with_warmup as get_linear

from donorgrid.train.schedule import rate_factor

THEIRS = {
    "linear": get_linear,
    "cosine": get_cosine_schedule_with_warmup,
    "constant": lambda optimiser, n_warmup, _: get_constant_schedule_with_warmup(optimiser, n_warmup),
}


@pytest.mark.parametrize("schedule", sorted(THEIRS))
@pytest.mark.parametrize(("n_steps", "n_warmup"), [(102, 11), (7, 1), (5, 0)])
def test_rates_equal_transformers(schedule: str, n_steps: int, n_warmup: int) -> None:
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = THEIRS[schedule](optimiser, n_warmup, n_steps)
    for step in range(n_steps):
        ours = rate_factor(step, n_steps=n_steps, n_warmup=n_warmup, schedule=schedule)
        assert ours == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        scheduler.step()
