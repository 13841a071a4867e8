"""Attention in short rows against torch's fused kernel: trees, windows, shared heads, and its gradients."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.models.fast_cpu import attention
from donorgrid.models.fast_cpu.attention import Attention, Heads, Rows
from donorgrid.models.rows import RowBatch, packed_row, pad_rows, prefix_tree_row

HEADS = [
    Heads(n=4, n_shared=4, size=8, scale=0.35),
    Heads(n=4, n_shared=2, size=6, scale=0.4),
    Heads(n=3, n_shared=1, size=16, scale=0.2),
]


def batch_of(lengths: list[int], seed: int, n_common: int = 0) -> RowBatch:
    """Rows of one sequence, of two, and a tree; or rows of one and trees that begin with the same tokens."""
    rng = random.Random(seed)
    common = tuple(rng.randrange(3, 9) for _ in range(n_common))
    if common:
        texts = [common + tuple(rng.randrange(9, 50) for _ in range(length)) for length in lengths]
        tree = sorted({one[: n_common + len(one) // 2] + other[n_common:] for one in texts for other in texts[:2]})
        return pad_rows([*(packed_row([one]) for one in texts), prefix_tree_row(tree)[0], packed_row([texts[0]])])
    texts = [tuple(rng.randrange(3, 9) for _ in range(length)) for length in lengths]
    tree = sorted({one[: 1 + len(one) // 2] + other for one in texts for other in texts[:2]})
    return pad_rows([packed_row(texts[:1]), *(packed_row([one, texts[0]]) for one in texts), prefix_tree_row(tree)[0]])


@pytest.mark.parametrize("heads", HEADS, ids=["own", "shared", "one"])
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    window=st.integers(1, 30),
    n_common=st.integers(0, 9),
)
def test_short_rows_are_read_as_long_ones(
    heads: Heads, lengths: list[int], seed: int, window: int, n_common: int
) -> None:
    batch = batch_of(lengths, seed, n_common)
    seen = None if window > 25 else window
    assert Rows(batch).n_common >= n_common
    qkv = torch.randn(int(Rows(batch).starts[-1]), (heads.n + 2 * heads.n_shared) * heads.size)
    slope = torch.randn(len(qkv), heads.n * heads.size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_SHORT", 0)  # as if the rows were long
        long = Attention(heads, Rows(batch), seen)
        expected = long.forward(qkv, remember=True)
        of_expected = long.backward(slope)
    short = Attention(heads, Rows(batch), seen)
    assert torch.equal(short.forward(qkv.clone(), remember=False), short.forward(qkv.clone(), remember=True))
    found = short.forward(qkv.clone(), remember=True)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(short.backward(slope), of_expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("heads", HEADS, ids=["own", "shared", "one"])
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=4), seed=st.integers(0, 99), n_common=st.integers(0, 9)
)
def test_what_some_tokens_read_and_its_gradient(heads: Heads, lengths: list[int], seed: int, n_common: int) -> None:
    batch = batch_of(lengths, seed, n_common)
    n = int(Rows(batch).starts[-1])
    asking = torch.tensor(sorted(random.Random(seed).sample(range(n), k=1 + n // 5)))
    qkv = torch.randn(n, (heads.n + 2 * heads.n_shared) * heads.size)
    slope = torch.zeros(n, heads.n * heads.size).index_copy(0, asking, torch.randn(len(asking), heads.n * heads.size))
    of_all, of_some = Attention(heads, Rows(batch), None), Attention(heads, Rows(batch), None, asking)
    expected = of_all.forward(qkv.clone(), remember=True)[asking]
    assert torch.equal(of_some.forward(qkv.clone(), remember=True)[asking], expected)
    torch.testing.assert_close(of_some.backward(slope.clone()), of_all.backward(slope.clone()))


def test_scores_far_apart_and_what_is_not_a_number() -> None:
    heads, batch = HEADS[0], pad_rows([packed_row([(1, 2, 3)]), packed_row([(4, 5)])])
    qkv = torch.randn(5, 96) * 100
    short = Attention(heads, Rows(batch), None).forward(qkv, remember=False)
    assert short.isfinite().all()
    torch.testing.assert_close(short[0], qkv[0, 64:])
    qkv[1, 3] = np.nan
    found = Attention(heads, Rows(batch), None).forward(qkv, remember=False)
    assert found[1, :8].isnan().all()
    assert found[[0, 3, 4]].isfinite().all()
