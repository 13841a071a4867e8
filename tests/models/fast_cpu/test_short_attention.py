"""Attention in short rows against torch's fused kernel: trees, windows, shared heads, and its gradients."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.models.fast_cpu import unpadded_rows
from donorgrid.models.fast_cpu.attention import Attention, HeadLayout
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.rows import RowBatch, packed_row, pad_rows, prefix_tree_row

LAYOUTS = [
    HeadLayout(n_query_heads=4, n_kv_heads=4, head_dim=8, scaling=0.35),
    HeadLayout(n_query_heads=4, n_kv_heads=2, head_dim=6, scaling=0.4),
    HeadLayout(n_query_heads=3, n_kv_heads=1, head_dim=16, scaling=0.2),
]
LAYOUT_IDS = ["multi-head", "grouped", "multi-query"]


def batch_of(lengths: list[int], seed: int, shared_prefix_length: int = 0) -> RowBatch:
    """Rows of one sequence, of two, and a tree; or rows of one sequence and a tree after a shared prefix."""
    rng = random.Random(seed)
    prefix = tuple(rng.randrange(3, 9) for _ in range(shared_prefix_length))
    if prefix:
        texts = [prefix + tuple(rng.randrange(9, 50) for _ in range(length)) for length in lengths]
        tree = sorted(
            {text[: len(prefix) + len(text) // 2] + end[len(prefix) :] for text in texts for end in texts[:2]}
        )
        return pad_rows([*(packed_row([text]) for text in texts), prefix_tree_row(tree)[0], packed_row([texts[0]])])
    texts = [tuple(rng.randrange(3, 9) for _ in range(length)) for length in lengths]
    tree = sorted({text[: 1 + len(text) // 2] + end for text in texts for end in texts[:2]})
    pairs = (packed_row([text, texts[0]]) for text in texts)
    return pad_rows([packed_row(texts[:1]), *pairs, prefix_tree_row(tree)[0]])


def random_qkv(n_tokens: int, layout: HeadLayout) -> torch.Tensor:
    return torch.randn(n_tokens, (layout.n_query_heads + 2 * layout.n_kv_heads) * layout.head_dim)


@pytest.mark.parametrize("layout", LAYOUTS, ids=LAYOUT_IDS)
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    window=st.one_of(st.none(), st.integers(1, 25)),
    shared_prefix_length=st.integers(0, 9),
)
def test_short_rows_equal_torchs_fused_kernel(
    layout: HeadLayout, lengths: list[int], seed: int, window: int | None, shared_prefix_length: int
) -> None:
    batch = batch_of(lengths, seed, shared_prefix_length)
    assert UnpaddedRows(batch).shared_prefix_length >= shared_prefix_length
    qkv = random_qkv(UnpaddedRows(batch).n_tokens, layout)
    grad_output = torch.randn(len(qkv), layout.n_query_heads * layout.head_dim)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpadded_rows, "SHORT_ROW_TOKENS", 0)
        fused = Attention(layout, UnpaddedRows(batch), window)
        expected = fused.forward(qkv, save_for_backward=True)
        expected_grad = fused.backward(grad_output)
    short = Attention(layout, UnpaddedRows(batch), window)
    without_saving = short.forward(qkv.clone(), save_for_backward=False)
    output = short.forward(qkv.clone(), save_for_backward=True)
    assert torch.equal(output, without_saving)
    torch.testing.assert_close(output, expected, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(short.backward(grad_output), expected_grad, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("layout", LAYOUTS, ids=LAYOUT_IDS)
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 24), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    shared_prefix_length=st.integers(0, 9),
)
def test_output_at_some_tokens_and_its_gradient(
    layout: HeadLayout, lengths: list[int], seed: int, shared_prefix_length: int
) -> None:
    rows = UnpaddedRows(batch_of(lengths, seed, shared_prefix_length))
    indices = torch.tensor(sorted(random.Random(seed).sample(range(rows.n_tokens), k=1 + rows.n_tokens // 5)))
    qkv, width = random_qkv(rows.n_tokens, layout), layout.n_query_heads * layout.head_dim
    grad_output = torch.zeros(rows.n_tokens, width).index_copy(0, indices, torch.randn(len(indices), width))
    at_all, at_some = Attention(layout, rows, None), Attention(layout, rows, None, indices)
    expected = at_all.forward(qkv.clone(), save_for_backward=True)[indices]
    assert torch.equal(at_some.forward(qkv.clone(), save_for_backward=True)[indices], expected)
    torch.testing.assert_close(at_some.backward(grad_output.clone()), at_all.backward(grad_output.clone()))


def test_scores_far_apart_and_nan() -> None:
    layout, rows = LAYOUTS[0], UnpaddedRows(pad_rows([packed_row([(1, 2, 3)]), packed_row([(4, 5)])]))
    qkv = torch.randn(5, 96) * 100
    output = Attention(layout, rows, None).forward(qkv, save_for_backward=False)
    assert output.isfinite().all()
    torch.testing.assert_close(output[0], qkv[0, 64:])
    qkv[1, 3] = np.nan
    output = Attention(layout, rows, None).forward(qkv, save_for_backward=False)
    assert output[1, :8].isnan().all()
    assert output[[0, 3, 4]].isfinite().all()
