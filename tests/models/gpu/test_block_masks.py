"""Block masks say the same as the square mask, for trees, documents, windows and rows of any length."""

import random

import pytest
import torch
import torch._dynamo
import torch.nn.attention.flex_attention as flex
from torch.nn.functional import scaled_dot_product_attention

from donorgrid.models.gpu.block_masks import block_mask
from donorgrid.models.gpu.flat_rows import BLOCK_SIZE, flatten_rows
from donorgrid.models.masks import additive_mask
from donorgrid.models.rows import RowBatch, packed_row, pad_rows, prefix_tree_row


def trees(lengths: list[int], seed: int = 0) -> RowBatch:
    """Rows of a context with options after it, beside rows of documents."""
    rng = random.Random(seed)
    rows = []
    for length in lengths:
        context = tuple(rng.randrange(99) for _ in range(length))
        options = sorted(context + tuple(rng.randrange(99) for _ in range(rng.randrange(1, 40))) for _ in range(4))
        rows += [prefix_tree_row(options)[0], packed_row(options[:2])]
    return pad_rows(rows)


def square(batch: RowBatch, window: int | None) -> torch.Tensor:
    """The square mask of each row as one block-diagonal matrix over the flattened batch."""
    return torch.block_diag(*(row[0] == 0 for row in additive_mask(batch, torch.float32, window=window))).bool()


def computed(batch: RowBatch, window: int | None, *, drops_padding: bool) -> torch.Tensor:
    """What the kernel attends to: full blocks whole, partial blocks by their function, no other block."""
    mask = block_mask(flatten_rows(batch, drops_padding=drops_padding), window=window)
    n_tokens = mask.seq_lengths[0]
    columns = torch.arange(n_tokens)
    inside = mask.mask_mod(torch.tensor(0), torch.tensor(0), columns[:, None], columns[None, :])
    partial, full = (
        torch.zeros(-(-n_tokens // BLOCK_SIZE), -(-n_tokens // BLOCK_SIZE), dtype=torch.bool) for _ in range(2)
    )
    lists = (mask.kv_num_blocks, mask.kv_indices, partial), (mask.full_kv_num_blocks, mask.full_kv_indices, full)
    for counts, indices, blocks in lists:
        for row, (count, listed) in enumerate(zip(counts[0, 0], indices[0, 0], strict=True)):
            blocks[row, listed[:count]] = True
    assert not (partial & full).any()

    def spread(blocks: torch.Tensor) -> torch.Tensor:
        return blocks.repeat_interleave(BLOCK_SIZE, 0).repeat_interleave(BLOCK_SIZE, 1)[:n_tokens, :n_tokens]

    return (inside & spread(partial)) | spread(full)


@pytest.mark.parametrize("window", [None, 1, 50, 300])
@pytest.mark.parametrize("lengths", [[3], [100], [300, 20]])
def test_the_kernel_attends_to_what_the_square_mask_allows(lengths: list[int], window: int | None) -> None:
    batch = trees(lengths)
    assert torch.equal(computed(batch, window, drops_padding=False), square(batch, window))


@pytest.mark.parametrize("window", [None, 50])
def test_without_padding_the_tokens_that_are_left_attend_to_the_same(window: int | None) -> None:
    batch = trees([260, 31, 120])
    row = flatten_rows(batch, drops_padding=True)
    kept = (torch.arange(batch.input_ids.shape[1]) < batch.lengths[:, None]).flatten().nonzero()[:, 0]
    assert len(row.input_ids) % BLOCK_SIZE == 0
    assert torch.equal(row.input_ids[row.index_of[kept]], batch.input_ids.flatten()[kept])
    attended = computed(batch, window, drops_padding=True)
    assert torch.equal(attended[: len(kept), : len(kept)], square(batch, window)[kept][:, kept])
    added = attended[len(kept) :]
    assert torch.equal(added.nonzero()[:, 1], torch.arange(len(kept), len(row.input_ids)))  # each to itself alone


def test_documents_of_a_long_row_leave_most_blocks_out() -> None:
    documents = packed_row([tuple(range(200))] * 20)
    mask = block_mask(flatten_rows(pad_rows([documents]), drops_padding=True), window=None)
    assert mask.sparsity() > 90


def test_the_kernel_is_compiled_twice_at_most_whatever_the_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the first length and for any length; graphs are counted, and torch's plain operations compute them."""
    monkeypatch.setattr(flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", False)
    attend = torch.compile(flex.flex_attention, backend="eager")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    for length in (100, 210, 30):
        row = flatten_rows(trees([length]), drops_padding=True)
        query, key = torch.randn(1, 6, len(row.input_ids), 16), torch.randn(1, 2, len(row.input_ids), 16)
        mask = block_mask(row, window=None)
        with torch.inference_mode():
            output = attend(query, key, key, block_mask=mask, enable_gqa=True)
        columns = torch.arange(len(row.input_ids))
        allowed = mask.mask_mod(None, None, columns[:, None], columns[None, :])
        expected = scaled_dot_product_attention(query, key, key, attn_mask=allowed, enable_gqa=True)
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    assert 1 <= torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 2
