"""Texts side by side: nothing lost, nothing that the loss should not read, little waste."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.train.batches import batch_texts
from donorgrid.train.encode import EncodedText


def texts(lengths: list[int], seed: int = 0) -> tuple[EncodedText, ...]:
    rng = random.Random(seed)
    return tuple(
        EncodedText(
            tuple(rng.randrange(1, 10**6) for _ in range(length)),
            (False, *(rng.random() < 0.5 for _ in range(length - 2)), True),
        )
        for length in lengths
    )


def predictions(text: EncodedText) -> list[tuple[int, int]]:
    """(token read last, token predicted) for every supervised token."""
    ids = text.token_ids
    return [(ids[index - 1], ids[index]) for index in range(1, len(ids)) if text.supervised[index]]


@pytest.mark.parametrize("can_pack", [True, False])
@settings(max_examples=40, deadline=None)
@given(many=st.lists(st.lists(st.integers(2, 30), max_size=9), min_size=1, max_size=4).filter(any))
def test_every_supervised_token_is_predicted_once_by_its_adapter(can_pack: bool, many: list[list[int]]) -> None:
    texts_of = [texts(lengths, seed) for seed, lengths in enumerate(many)]
    batch = batch_texts(texts_of, can_pack=can_pack, token_cost=100.0)
    read = batch.rows.input_ids.flatten()[batch.head_indices]
    for adapter, adapter_texts in enumerate(texts_of):
        is_mine = batch.adapters == adapter
        pairs = sorted(zip(read[is_mine].tolist(), batch.targets[is_mine].tolist(), strict=True))
        assert pairs == sorted(pair for text in adapter_texts for pair in predictions(text))
    assert len(batch.rows.input_ids) % len(many) == 0


def test_short_texts_share_rows(texts_of: Callable[..., tuple[EncodedText, ...]]) -> None:
    lengths = [60, 12, 25, 33, 48, 10, 41, 19]
    together = batch_texts([texts(lengths)], can_pack=True, token_cost=500.0).rows.input_ids.numel()
    padded = batch_texts([texts(lengths)], can_pack=False, token_cost=500.0).rows.input_ids.numel()
    n_read = sum(lengths) - len(lengths)
    assert n_read <= together <= 1.1 * n_read
    assert padded == 59 * 8


def test_nothing_is_read_that_no_supervised_token_follows() -> None:
    text = EncodedText((4, 5, 6, 7, 8), (False, False, True, False, False))
    batch = batch_texts([[text]], can_pack=True, token_cost=100.0)
    assert batch.rows.input_ids.tolist() == [[4, 5]]
    assert (batch.head_indices.tolist(), batch.targets.tolist()) == ([1], [6])


def test_an_adapter_without_texts_has_empty_rows() -> None:
    batch = batch_texts([texts([5, 7]), ()], can_pack=True, token_cost=100.0)
    assert set(batch.adapters.tolist()) == {0}
    assert len(batch.rows.input_ids) % 2 == 0
    assert not np.any(batch.rows.input_ids[len(batch.rows.input_ids) // 2 :].numpy())
