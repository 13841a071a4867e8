"""Every way gives the hidden states and the gradients of square masks, in every architecture."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch._dynamo

from donorgrid.models.gpu.trial import embedding_gradient, relative_gap, trial_batch
from donorgrid.models.gpu.ways import BlockMasks, CompiledBlockMasks, DenseMasks
from donorgrid.models.masks import find_mask_form
from donorgrid.models.rows import RowBatch, pad_rows, prefix_tree_row
from worlds import ARCHITECTURES

Network = Callable[[str], Any]


def sequences(lengths: list[int], seed: int = 0) -> list[tuple[int, ...]]:
    rng = random.Random(seed)
    texts = [tuple(rng.randrange(3, 300) for _ in range(length)) for length in lengths]
    return [*texts, *(texts[-1][: lengths[-1] // 2] + text for text in texts[:2])]


def tree_rows(lengths: list[int]) -> RowBatch:
    texts = sequences(lengths)
    return pad_rows([prefix_tree_row(sorted(texts))[0], prefix_tree_row(sorted(texts[1:3]))[0]])


def ways(network: Any, *others: type[BlockMasks], **settings: Any) -> list[Any]:
    form = find_mask_form(network, sequences([5, 40]), tolerance_nats=1e-4).form
    assert form is not None
    return [DenseMasks(network, form), *(other(network, form, **settings) for other in others)]


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_block_masks_give_the_hidden_states_and_gradients_of_square_masks(network_of: Network, kind: str) -> None:
    network = network_of(kind)
    dense, blocks = ways(network, BlockMasks)
    batch = tree_rows([30, 12, 70, 90])
    indices = torch.tensor([0, 7, 100, batch.input_ids.shape[1] + 5])
    with torch.inference_mode():
        torch.testing.assert_close(blocks.hidden_states_at(batch, indices), dense.hidden_states_at(batch, indices))
        for row, length in enumerate(batch.lengths):  # padding has no meaning in either
            torch.testing.assert_close(
                blocks.hidden_states(batch)[row, :length], dense.hidden_states(batch)[row, :length]
            )
    documents = trial_batch(sequences([20, 60, 90]), n_tokens=400)
    expected = embedding_gradient(network, dense, documents)
    assert relative_gap(embedding_gradient(network, blocks, documents), expected) < 1e-5
    assert network.config._attn_implementation == "sdpa"


def test_compiled_layers_share_their_code_whatever_the_rows_and_follow_the_weights(network_of: Network) -> None:
    network = network_of("llama")
    dense, compiled = ways(network, CompiledBlockMasks, backend="eager")
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with torch.inference_mode():
        for lengths in ([30, 12, 70, 90], [20, 33, 80, 99]):
            batch = tree_rows(lengths)
            indices = torch.arange(0, int(batch.lengths[0]), 3)
            torch.testing.assert_close(
                compiled.hidden_states_at(batch, indices), dense.hidden_states_at(batch, indices)
            )
            with torch.no_grad():
                network.get_decoder().layers[0].mlp.up_proj.weight.mul_(1.5)  # an adapter is merged
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not [layer for layer in network.get_decoder().layers if "forward" in vars(layer)]
