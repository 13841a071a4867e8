"""The training loop's own decisions, on a stand-in for losses: order, learning rates, the best epoch, checkpoints."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from donorgrid.core.records import Recipe
from donorgrid.train import loop
from donorgrid.train.encode import EncodedText
from donorgrid.train.loop import Corpus, FitResult, fit

RECIPE = Recipe(name="r", epochs=3, batch_size=4, learning_rate=1.0, schedule="linear", warmup_share=0.1)


def texts(count: int) -> tuple[EncodedText, ...]:
    return tuple(EncodedText((index, 1), (False, True)) for index in range(count))


class CountingStack:
    """One row of parameters, which says how many steps it has seen."""

    def __init__(self) -> None:
        self.values = torch.zeros(1, 1)

    def __len__(self) -> int:
        return 1


class StandIn:
    """Losses and optimiser of a training whose validation losses are given."""

    def __init__(self, validations: Sequence[float | None]) -> None:
        self.batches: list[list[int]] = []
        self.rates: list[float] = []
        self._validations = iter(validations)

    def losses(self, _: Any) -> Any:
        def backward(stack: Any, texts_of: Any, counts: Any) -> tuple[Tensor, Tensor]:
            self.batches.append([text.token_ids[0] for text in texts_of[0]])
            return torch.ones(1), torch.zeros(1, 1)

        return SimpleNamespace(backward=backward, means=lambda *_: [next(self._validations)])

    def optimiser(self, values: Tensor, **_: float) -> Any:
        def step(gradients: Tensor, rates: Sequence[float]) -> None:
            self.rates.append(rates[0])
            values.add_(1.0)

        return SimpleNamespace(step=step)


def trained(
    monkeypatch: pytest.MonkeyPatch,
    validations: Sequence[float | None],
    *,
    n_texts: int = 10,
    recipe: Recipe = RECIPE,
    checkpoints: tuple[float, ...] = (),
) -> tuple[FitResult, StandIn]:
    stand_in = StandIn(validations)
    monkeypatch.setattr(loop, "Losses", stand_in.losses)
    monkeypatch.setattr(loop, "StackedAdamW", stand_in.optimiser)
    corpus = Corpus(train=texts(n_texts), validation=texts(1))
    reader: Any = SimpleNamespace(check=lambda _: None)
    stack: Any = CountingStack()
    (result,) = fit(reader, stack, [corpus], recipe, train_seeds=[17], checkpoints=checkpoints)
    assert isinstance(result, FitResult)
    return result, stand_in


def test_every_epoch_reads_every_text_once_in_an_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = trained(monkeypatch, [3.0, 2.0, 1.0])
    assert [len(batch) for batch in seen.batches] == [4, 4, 2] * 3
    orders = [[number for batch in seen.batches[start : start + 3] for number in batch] for start in (0, 3, 6)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_the_earliest_of_equally_good_epochs_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = trained(monkeypatch, [2.0, 1.0, 1.0])
    assert [epoch.best for epoch in result.log] == [True, True, False]
    assert result.values.item() == 6


def test_without_validation_the_last_epoch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = trained(monkeypatch, [None, None, None])
    assert result.values.item() == 9


def test_a_part_of_a_warm_up_step_counts_as_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, seen = trained(monkeypatch, [3.0, 2.0, 1.0], recipe=RECIPE)  # 10% of 9 steps
    assert seen.rates == pytest.approx([0.0, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


def test_a_checkpoint_within_an_epoch_follows_the_step_that_completes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = trained(monkeypatch, [3.0, 2.0, 1.0], checkpoints=(0.5, 1.0, 1.1))
    assert {epochs: values.item() for epochs, values in result.checkpoints.items()} == {0.5: 2, 1.0: 3, 1.1: 4}


def test_the_train_loss_is_the_mean_over_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = trained(monkeypatch, [3.0, 2.0, 1.0])
    assert result.log[0].train_loss == pytest.approx(3 / 10)
