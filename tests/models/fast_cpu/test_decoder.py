"""The fast decoder against transformers' own layers: hidden states and adapters' gradients, by architecture."""

import logging
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import AutoModelForCausalLM

from donorgrid.models.fast_cpu import decoder as decoder_module
from donorgrid.models.fast_cpu.attention import Attention
from donorgrid.models.fast_cpu.decoder import FastDecoder, make_fast_decoder
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.low_rank import LowRankAdapter, join_factors
from donorgrid.models.masks import find_mask_form, hidden_states
from donorgrid.models.reader import Reader
from donorgrid.models.rows import RowBatch, packed_row, pad_rows, prefix_tree_row
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters
from worlds import make_checkpoint

KINDS = ("llama", "qwen2", "qwen2-windowed", "qwen3", "mistral", "gemma3")
Network = Callable[[str], Any]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Loads a tiny network by its kind, a new one each time."""
    root = tmp_path_factory.mktemp("networks")

    def load(kind: str, dtype: torch.dtype = torch.float32) -> Any:
        folder = root / kind
        if not folder.exists():
            make_checkpoint(kind, folder)
        return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).requires_grad_(False).eval()

    return load


@pytest.fixture(scope="module")
def known(network: Network) -> Network:
    """Loads the same network each time, for tests that change nothing."""
    return cache(network)


def sequences(lengths: Sequence[int], *, seed: int = 0) -> list[tuple[int, ...]]:
    rng = random.Random(seed)
    return [tuple(rng.randrange(3, 300) for _ in range(length)) for length in lengths]


def fast_decoder(network: Any) -> FastDecoder:
    decoder = make_fast_decoder(network)
    assert decoder is not None
    return decoder


def transformers_hidden_states(network: Any, batch: RowBatch) -> Tensor:
    form = find_mask_form(network, sequences([5, 9, 21]), tolerance_nats=1e-4).form
    assert form is not None
    return hidden_states(network, batch, form).flatten(0, 1)


def token_indices(batch: RowBatch) -> Tensor:
    """The indices of all tokens that are no padding."""
    is_token = torch.arange(batch.input_ids.shape[1]) < batch.lengths[:, None]
    return is_token.flatten().nonzero().squeeze(1)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 40), min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    shared_prefix_length=st.integers(0, 9),
)
def test_hidden_states_are_those_of_transformers(
    known: Network, kind: str, lengths: list[int], seed: int, shared_prefix_length: int
) -> None:
    """Rows of two sequences and a tree, or rows with a shared prefix, at some indices in any order."""
    net, texts = known(kind), sequences(lengths, seed=seed)
    tree = sorted({text[: 1 + len(text) // 2] + end for text in texts for end in texts[:2]})
    (prefix,) = sequences([shared_prefix_length], seed=seed + 1)
    if prefix:
        tree_after_prefix = prefix_tree_row([prefix + text for text in tree])[0]
        batch = pad_rows([*(packed_row([prefix + text]) for text in texts), tree_after_prefix])
        assert UnpaddedRows(batch).shared_prefix_length >= shared_prefix_length
    else:
        batch = pad_rows([*(packed_row([text, *texts[:1]]) for text in texts), prefix_tree_row(tree)[0]])
    indices = token_indices(batch)
    indices = indices[torch.randperm(len(indices), generator=torch.Generator().manual_seed(seed))[:7]]
    with torch.inference_mode():
        hidden = fast_decoder(net).hidden_states_at(batch, indices)
        assert torch.allclose(hidden, transformers_hidden_states(net, batch)[indices], atol=2e-5)


def random_adapter(network: Any, *, without: Sequence[str] = ()) -> StackedAdapters:
    """A random adapter of rank 4 on every linear module of the layers, except those named in ``without``."""
    torch.manual_seed(3)
    modules = {
        name: module
        for name, module in network.named_modules()
        if type(module) is torch.nn.Linear and name != "lm_head" and name.rpartition(".")[2] not in without
    }
    factors = {
        name: (torch.randn(4, module.in_features) * 0.1, torch.randn(module.out_features, 4) * 0.1)
        for name, module in modules.items()
    }
    shapes = {name: ((4, module.in_features), (module.out_features, 4)) for name, module in modules.items()}
    return StackedAdapters(AdapterLayout(shapes=shapes, scaling=2.0), join_factors(factors)[None])


@pytest.mark.parametrize(
    ("lengths", "shared_prefix_length"),
    [((5, 9, 17), 0), ((12, 12), 0), ((140, 3), 0), ((5, 9, 17), 1), ((5, 9, 17), 7), ((130, 3), 10)],
    ids=["padding", "no padding", "long", "shared token", "shared prefix", "long shared prefix"],
)
@pytest.mark.parametrize("without", [(), ("k_proj", "gate_proj"), ("q_proj", "o_proj", "down_proj")])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_autograd(
    known: Network, kind: str, without: tuple[str, ...], lengths: tuple[int, ...], shared_prefix_length: int
) -> None:
    net = known(kind)
    stacked = random_adapter(net, without=without)
    (prefix,) = sequences([shared_prefix_length], seed=1)
    batch = pad_rows([packed_row([prefix + text]) for text in sequences(lengths)])
    indices = token_indices(batch)[::3]
    grad_hidden = torch.randn(len(indices), 32)
    with stacked.active(net, n_tokens=batch.input_ids.numel()):
        expected = adapted_transformers_hidden_states(net, batch)[indices]
    expected_grad = stacked.gradients((expected * grad_hidden).sum())
    adapter = stacked.low_rank()
    assert adapter is not None
    hidden = fast_decoder(net).hidden_states_at(batch, indices, adapter)
    grad = stacked.gradients((hidden * grad_hidden).sum())
    assert torch.allclose(hidden, expected, atol=2e-5)
    assert (grad - expected_grad).norm() < 1e-5 * expected_grad.norm()
    with torch.no_grad():
        assert torch.allclose(fast_decoder(net).hidden_states_at(batch, indices, adapter), expected, atol=2e-5)


def adapted_transformers_hidden_states(network: Any, batch: RowBatch) -> Tensor:
    """With an active adapter. Its hooks rule out ``find_mask_form``, so the form is given."""
    form = "by layer type" if network.config.model_type.startswith(("qwen", "gemma3")) else "one mask"
    return hidden_states(network, batch, form).flatten(0, 1)


def test_unknown_layers_are_left_to_transformers(network: Network) -> None:
    assert make_fast_decoder(network("gpt-neox")) is None


def test_other_precisions_are_left_to_transformers(network: Any) -> None:
    assert make_fast_decoder(network("llama", torch.float16)) is None


def test_network_with_a_single_unknown_layer_is_left_to_transformers(network: Network) -> None:
    net = network("llama")
    net.get_decoder().layers[1].mlp.act_fn = torch.nn.GELU()
    assert make_fast_decoder(net) is None


def test_weights_are_not_stored_twice_and_follow_the_modules(network: Network) -> None:
    net = network("qwen2")
    decoder = fast_decoder(net)
    assert decoder.prepare()
    attention = net.get_decoder().layers[0].self_attn
    storages = {module.weight.untyped_storage().data_ptr() for module in (attention.q_proj, attention.k_proj)}
    assert len(storages) == 1
    batch = pad_rows([packed_row(sequences([9]))])
    indices = torch.arange(9)
    unchanged = decoder.hidden_states_at(batch, indices)
    with torch.no_grad():
        attention.k_proj.weight.mul_(3.0)
    in_place = decoder.hidden_states_at(batch, indices)
    assert not torch.allclose(in_place, unchanged, atol=1e-3)
    assert torch.allclose(in_place, transformers_hidden_states(net, batch), atol=2e-5)
    attention.v_proj.weight.data = attention.v_proj.weight.data * 2.0
    assert decoder.prepare()
    replaced = decoder.hidden_states_at(batch, indices)
    assert not torch.allclose(replaced, in_place, atol=1e-3)
    assert torch.allclose(replaced, transformers_hidden_states(net, batch), atol=2e-5)


def test_wrapped_and_hooked_modules_are_noticed(network: Network) -> None:
    net = network("llama")
    decoder = fast_decoder(net)
    attention = net.get_decoder().layers[1].self_attn
    handle = attention.q_proj.register_forward_hook(lambda *_: None)
    assert not decoder.prepare()
    handle.remove()
    assert decoder.prepare()
    handle = attention.v_proj.register_forward_pre_hook(lambda *_: None)
    assert not decoder.prepare()
    handle.remove()
    assert decoder.prepare()
    attention.o_proj = torch.nn.Sequential(attention.o_proj)
    assert not decoder.prepare()


def test_reader_uses_transformers_for_hooked_networks(network: Network) -> None:
    net = network("llama")
    reader = Reader(net)
    reader.check(sequences([4, 8, 15]))
    batch = pad_rows([packed_row(sequences([11]))])
    indices = torch.arange(11)
    plain = reader.hidden_states_at(batch, indices)
    handle = net.get_decoder().layers[0].mlp.down_proj.register_forward_hook(lambda _, __, output: output * 0.5)
    hooked = reader.hidden_states_at(batch, indices)
    handle.remove()
    assert not torch.allclose(hooked, plain, atol=1e-3)
    assert torch.equal(reader.hidden_states_at(batch, indices), plain)


def test_wrong_result_of_the_fast_decoder_is_noticed_and_not_used(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    net = network("llama")
    monkeypatch.setattr(decoder_module.Rotary, "rotate", lambda *_: None)
    reader = Reader(net)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        reader.check(sequences([4, 8, 15]))
    assert "the fast decoder is" in caplog.text
    assert reader.can_pack
    batch = pad_rows([packed_row(sequences([11]))])
    assert torch.allclose(
        reader.hidden_states_at(batch, torch.arange(11)), transformers_hidden_states(net, batch), atol=2e-5
    )
    assert not reader.supports(LowRankAdapter(values=torch.zeros(0), shapes={}, scaling=1.0))


@pytest.mark.parametrize("wrong", ["_forward_short", "_fused"])
def test_both_kinds_of_attention_are_checked(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    """Together the sequences make a long row; alone each makes a short row."""
    monkeypatch.setattr(Attention, wrong, lambda _, qkv, **__: torch.full((len(qkv), 32), torch.nan))
    with caplog.at_level(logging.WARNING, "donorgrid"):
        Reader(network("llama")).check(sequences([40, 60, 70]))
    assert "the fast decoder is nan nats off" in caplog.text


def test_adapters_on_other_modules_are_not_supported(network: Network) -> None:
    reader = Reader(network("llama"))
    reader.check(sequences([4, 8, 15]))

    def adapter_of(*names: str) -> LowRankAdapter:
        shapes = dict.fromkeys(names, ((2, 32), (32, 2)))
        return LowRankAdapter(values=torch.zeros(128 * len(names)), shapes=shapes, scaling=1.0)

    down, key, query = (f"model.layers.0.{path}" for path in ("mlp.down_proj", "self_attn.k_proj", "self_attn.q_proj"))
    assert reader.supports(adapter_of(query, key, down))
    assert not reader.supports(adapter_of("lm_head"))
    assert not reader.supports(adapter_of(key, query)), "in another order than the products"
    assert not reader.supports(adapter_of(query, down, key))
