"""Of the allowed ways only those that agree are tried; what is off or cannot compute is left out and said."""

import logging
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from donorgrid.models.gpu import choice, trial
from donorgrid.models.gpu.ways import ALL_WAYS, BlockMasks
from donorgrid.models.reader import Reader
from donorgrid.models.rows import RowBatch, packed_row, pad_rows

Network = Callable[[str], Any]
rng = random.Random(0)
TEXTS = [tuple(rng.randrange(3, 300) for _ in range(length)) for length in (6, 40, 90, 120)]
ROWS = pad_rows([packed_row(TEXTS)] * 5)


@pytest.fixture
def small_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_READING_TOKENS", 300)
    monkeypatch.setattr(choice, "_TRAINING_TOKENS", 300)


def timed(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
    """The ways take so long, in turn."""
    times = iter(seconds)

    def run(work: Callable[[], object], _: torch.device) -> float:
        work()
        return next(times)

    monkeypatch.setattr(trial, "_seconds", run)


def reader(network: Any, *ways: Any) -> Reader:
    made = Reader(network, may_use_fast_decoder=False, ways=ways)
    made.check(TEXTS)
    return made


@pytest.mark.usefixtures("small_trials")
@pytest.mark.parametrize(("seconds", "expected"), [([1.0, 0.8], "block masks"), ([1.0, 0.95], "dense masks")])
def test_a_way_must_be_a_tenth_faster_than_square_masks(
    network_of: Network, monkeypatch: pytest.MonkeyPatch, seconds: list[float], expected: str
) -> None:
    made = reader(network_of("llama"), "dense masks", "block masks")
    timed(monkeypatch, seconds)
    assert made._choice.for_reading(ROWS).name == expected
    timed(monkeypatch, seconds[::-1])
    assert made._choice.for_reading(ROWS).name == expected, "the choice is made once"
    assert made._choice.for_training(ROWS).name == "dense masks", "until a trial before the training"
    timed(monkeypatch, [1.0, 0.5])
    made.prepare_training()
    assert made._choice.for_training(ROWS).name == "block masks", "training has a trial of its own"


def test_a_single_way_needs_no_trial_and_small_batches_need_none_of_them(network_of: Network) -> None:
    made = reader(network_of("qwen2"), "block masks")
    assert made._choice.for_reading(ROWS).name == "block masks"
    assert made._choice.for_reading(pad_rows([packed_row(TEXTS)])).name == "dense masks"
    indices = torch.tensor([3, 500])
    with torch.inference_mode():
        expected = reader(network_of("qwen2")).hidden_states_at(ROWS, indices)
        torch.testing.assert_close(made.hidden_states_at(ROWS, indices), expected)


class Refusing(BlockMasks):
    def _read(self, _row: Any) -> Tensor:
        raise RuntimeError("no kernel for this card")


class Wrong(BlockMasks):
    def _read(self, row: Any) -> Tensor:
        return super()._read(row).roll(1, 0)


@pytest.mark.parametrize(("way", "finding"), [(Refusing, "cannot compute here"), (Wrong, "nats off")])
def test_a_way_that_is_off_or_cannot_compute_is_left_out(
    network_of: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: Any, finding: str
) -> None:
    monkeypatch.setattr(choice, "make_way", lambda _, network, form: way(network, form))
    with caplog.at_level(logging.WARNING, logger="donorgrid"):
        made = reader(network_of("llama"), "block masks")
    assert finding in caplog.text
    assert made._choice.for_reading(ROWS).name == "dense masks"
    assert made.can_pack


class WrongBackward(BlockMasks):
    def hidden_states(self, batch: RowBatch) -> Tensor:
        hidden = super().hidden_states(batch)
        return hidden + 0.01 * (hidden - hidden.detach()).flip(1)


@pytest.mark.usefixtures("small_trials")
def test_a_way_with_other_gradients_reads_but_does_not_train(
    network_of: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choice, "make_way", lambda _, network, form: WrongBackward(network, form))
    made = reader(network_of("llama"), "block masks")
    with caplog.at_level(logging.WARNING, logger="donorgrid"):
        made.prepare_training()
    assert made._choice.for_training(ROWS).name == "dense masks"
    assert "the way 'block masks' does not train (its gradients are" in caplog.text
    assert made._choice.for_reading(ROWS).name == "block masks"


@pytest.mark.usefixtures("small_trials")
def test_too_little_memory_for_a_trial_leaves_square_masks(
    network_of: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = reader(network_of("llama"), *ALL_WAYS[:2])

    def out(*_: object, **__: object) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(choice, "embedding_gradient", out)
    with caplog.at_level(logging.WARNING, logger="donorgrid"):
        made.prepare_training()
    assert made._choice.for_training(ROWS).name == "dense masks"
    assert "no trial of ways for training, square masks are used (CUDA out of memory)" in caplog.text


def test_rows_of_a_trial_are_of_about_one_length_and_enough() -> None:
    batch = trial.trial_batch(TEXTS, n_tokens=4000)
    assert int(batch.lengths.sum()) >= 4000
    assert int(batch.lengths[:-1].min()) >= 512
    assert batch.input_ids.shape[1] < 512 + 120
