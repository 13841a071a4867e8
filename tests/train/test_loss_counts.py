"""Gradients are those of the mean over supervised tokens, whatever the texts' number."""

from collections.abc import Callable

import pytest
import torch

from donorgrid.models.loading import Base
from donorgrid.train.encode import EncodedText
from donorgrid.train.losses import Losses
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters


def test_gradients_shrink_with_the_number_of_supervised_tokens(
    llama: Base, texts_of: Callable[..., tuple[EncodedText, ...]]
) -> None:
    texts = texts_of(5, seed=1)
    module = "model.layers.0.self_attn.q_proj"
    torch.manual_seed(0)
    values = torch.randn(1, 2 * 32 + 32 * 2)
    llama.reader.check([text.token_ids for text in texts])

    def gradients(count: int) -> torch.Tensor:
        layout = AdapterLayout(shapes={module: ((2, 32), (32, 2))}, scaling=1.0)
        _, found = Losses(llama.reader).backward(StackedAdapters(layout, values.clone()), [texts], [count])
        return found

    n_tokens = sum(text.n_supervised for text in texts)
    assert n_tokens > len(texts)
    assert gradients(n_tokens).abs().max() > 0
    assert torch.allclose(gradients(2 * n_tokens), gradients(n_tokens) / 2, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("n_texts", [1, 5])
def test_the_gradient_of_a_mean_does_not_grow_with_repeated_texts(
    llama: Base, texts_of: Callable[..., tuple[EncodedText, ...]], n_texts: int
) -> None:
    """The same text once or several times: the mean over its tokens, and so its gradient, is the same."""
    (text,) = texts_of(1, seed=2)
    torch.manual_seed(0)
    values = torch.randn(1, 128)
    layout = AdapterLayout(shapes={"model.layers.0.self_attn.q_proj": ((2, 32), (32, 2))}, scaling=1.0)
    llama.reader.check([text.token_ids])
    losses = Losses(llama.reader)
    _, alone = losses.backward(StackedAdapters(layout, values.clone()), [(text,)], [text.n_supervised])
    _, repeated = losses.backward(
        StackedAdapters(layout, values.clone()), [(text,) * n_texts], [n_texts * text.n_supervised]
    )
    assert torch.allclose(repeated, alone, rtol=1e-3, atol=1e-6)
