"""The decoder by hand against transformers' own layers: hidden states, and gradients of adapters, of every kind."""

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

from donorgrid.models.fast_cpu import decoder as decoders
from donorgrid.models.fast_cpu.attention import Attention, Rows
from donorgrid.models.fast_cpu.decoder import FastDecoder, make_fast_decoder
from donorgrid.models.low_rank import LowRankAdapter, join_factors
from donorgrid.models.masks import find_mask_form, hidden_states
from donorgrid.models.reader import Reader
from donorgrid.models.rows import RowBatch, packed_row, pad_rows, prefix_tree_row
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters
from worlds import make_checkpoint

KINDS = ("llama", "qwen2", "qwen2-windowed", "qwen3", "mistral")
Network = Callable[[str], Any]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A tiny network by its kind, each time anew."""
    root = tmp_path_factory.mktemp("networks")

    def load(kind: str, dtype: torch.dtype = torch.float32) -> Any:
        folder = root / kind
        if not folder.exists():
            make_checkpoint(kind, folder)
        return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).requires_grad_(False).eval()

    return load


@pytest.fixture(scope="module")
def known(network: Network) -> Network:
    """The same one each time, for tests that change nothing."""
    return cache(network)


def sequences(lengths: Sequence[int], *, seed: int = 0) -> list[tuple[int, ...]]:
    rng = random.Random(seed)
    return [tuple(rng.randrange(3, 300) for _ in range(length)) for length in lengths]


def made(network: Any) -> FastDecoder:
    found = make_fast_decoder(network)
    assert found is not None
    return found


def theirs(network: Any, batch: RowBatch) -> Tensor:
    form = find_mask_form(network, sequences([5, 9, 21]), tolerance_nats=1e-4).form
    assert form is not None
    return hidden_states(network, batch, form).flatten(0, 1)


def real_places(batch: RowBatch) -> Tensor:
    real = torch.arange(batch.input_ids.shape[1]) < batch.lengths[:, None]
    return real.flatten().nonzero().squeeze(1)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 40), min_size=1, max_size=6), seed=st.integers(0, 1000), n_common=st.integers(0, 9)
)
def test_hidden_states_are_those_of_transformers(
    known: Network, kind: str, lengths: list[int], seed: int, n_common: int
) -> None:
    """Rows of one sequence, of two, and trees; or rows that begin with the same; some places, in any order."""
    net, texts = known(kind), sequences(lengths, seed=seed)
    tree = sorted({one[: 1 + len(one) // 2] + other for one in texts for other in texts[:2]})
    (common,) = sequences([n_common], seed=seed + 1)
    if common:
        tree_below = prefix_tree_row([common + one for one in tree])[0]
        batch = pad_rows([*(packed_row([common + one]) for one in texts), tree_below])
        assert Rows(batch).n_common >= n_common
    else:
        batch = pad_rows([*(packed_row([one, *texts[:1]]) for one in texts), prefix_tree_row(tree)[0]])
    chosen = real_places(batch)
    chosen = chosen[torch.randperm(len(chosen), generator=torch.Generator().manual_seed(seed))[:7]]
    with torch.inference_mode():
        ours = made(net).hidden_states_at(batch, chosen)
        assert torch.allclose(ours, theirs(net, batch)[chosen], atol=2e-5)


def stack_of(network: Any, *, without: Sequence[str] = ()) -> StackedAdapters:
    """A random adapter of rank 4 on every linear module of the layers but those named so."""
    torch.manual_seed(3)
    linear = {name: one for name, one in network.named_modules() if type(one) is torch.nn.Linear and name != "lm_head"}
    chosen = {name: one for name, one in linear.items() if name.rpartition(".")[2] not in without}
    pairs = {
        name: (torch.randn(4, one.in_features) * 0.1, torch.randn(one.out_features, 4) * 0.1)
        for name, one in chosen.items()
    }
    shapes = {name: ((4, one.in_features), (one.out_features, 4)) for name, one in chosen.items()}
    return StackedAdapters(AdapterLayout(shapes=shapes, scaling=2.0), join_factors(pairs)[None])


@pytest.mark.parametrize(
    ("lengths", "n_common"),
    [((5, 9, 17), 0), ((12, 12), 0), ((140, 3), 0), ((5, 9, 17), 1), ((5, 9, 17), 7), ((130, 3), 10)],
    ids=["fillers", "level", "long", "begin", "common", "long-common"],
)
@pytest.mark.parametrize("without", [(), ("k_proj", "gate_proj"), ("q_proj", "o_proj", "down_proj")])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_autograd(
    known: Network, kind: str, without: tuple[str, ...], lengths: tuple[int, ...], n_common: int
) -> None:
    net = known(kind)
    stack = stack_of(net, without=without)
    (common,) = sequences([n_common], seed=1)
    batch = pad_rows([packed_row([common + one]) for one in sequences(lengths)])
    places = real_places(batch)[::3]
    slope = torch.randn(len(places), 32)
    with stack.active(net, n_tokens=batch.input_ids.numel()):
        expected = theirs_worn(net, batch)[places]
    of_expected = stack.gradients((expected * slope).sum())
    adapter = stack.low_rank()
    assert adapter is not None
    found = made(net).hidden_states_at(batch, places, adapter)
    of_found = stack.gradients((found * slope).sum())
    assert torch.allclose(found, expected, atol=2e-5)
    assert (of_found - of_expected).norm() < 1e-5 * of_expected.norm()
    with torch.no_grad():
        assert torch.allclose(made(net).hidden_states_at(batch, places, adapter), expected, atol=2e-5)


def theirs_worn(network: Any, batch: RowBatch) -> Tensor:
    """With the adapter's hooks on, the form cannot be looked for: it is known by now."""
    form = "by layer type" if network.config.model_type.startswith("qwen") else "one mask"
    return hidden_states(network, batch, form).flatten(0, 1)


@pytest.mark.parametrize("kind", ["gemma3", "gpt-neox"])
def test_unknown_layers_are_left_to_transformers(network: Network, kind: str) -> None:
    assert make_fast_decoder(network(kind)) is None


def test_other_precisions_are_left_to_transformers(network: Any) -> None:
    assert make_fast_decoder(network("llama", torch.bfloat16)) is None


def test_other_activations_are_left_to_transformers(network: Network) -> None:
    net = network("llama")
    net.get_decoder().layers[1].mlp.act_fn = torch.nn.GELU()
    assert make_fast_decoder(net) is None


def test_other_kinds_of_linear_modules_are_left_to_transformers(network: Network) -> None:
    class Quantised(torch.nn.Linear):
        pass

    net = network("llama")
    net.get_decoder().layers[0].mlp.up_proj = Quantised(32, 64, bias=False)
    assert make_fast_decoder(net) is None


def test_weights_are_not_held_twice_and_follow_the_modules(network: Network) -> None:
    net = network("qwen2")
    decoder = made(net)
    assert decoder.prepare()
    attention = net.get_decoder().layers[0].self_attn
    storages = {one.weight.untyped_storage().data_ptr() for one in (attention.q_proj, attention.k_proj)}
    assert len(storages) == 1
    batch = pad_rows([packed_row(sequences([9]))])
    places = torch.arange(9)
    before = decoder.hidden_states_at(batch, places)
    with torch.no_grad():
        attention.k_proj.weight.mul_(3.0)
    in_place = decoder.hidden_states_at(batch, places)
    assert not torch.allclose(in_place, before, atol=1e-3)
    assert torch.allclose(in_place, theirs(net, batch), atol=2e-5)
    attention.v_proj.weight.data = attention.v_proj.weight.data * 2.0
    assert decoder.prepare()
    replaced = decoder.hidden_states_at(batch, places)
    assert not torch.allclose(replaced, in_place, atol=1e-3)
    assert torch.allclose(replaced, theirs(net, batch), atol=2e-5)


def test_wrapped_and_hooked_modules_are_not_passed_over(network: Network) -> None:
    net = network("llama")
    decoder = made(net)
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


def test_reader_reads_hooked_networks_with_their_own_layers(network: Network) -> None:
    net = network("llama")
    reader = Reader(net)
    reader.check(sequences([4, 8, 15]))
    batch = pad_rows([packed_row(sequences([11]))])
    places = torch.arange(11)
    plain = reader.hidden_states_at(batch, places)
    handle = net.get_decoder().layers[0].mlp.down_proj.register_forward_hook(lambda _, __, output: output * 0.5)
    hooked = reader.hidden_states_at(batch, places)
    handle.remove()
    assert not torch.allclose(hooked, plain, atol=1e-3)
    assert torch.equal(reader.hidden_states_at(batch, places), plain)


def test_wrong_result_by_hand_is_noticed_and_not_used(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    net = network("llama")
    monkeypatch.setattr(decoders.Rotary, "turn", lambda *_: None)
    reader = Reader(net)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        reader.check(sequences([4, 8, 15]))
    assert "the fast decoder is" in caplog.text
    assert reader.can_pack
    batch = pad_rows([packed_row(sequences([11]))])
    assert torch.allclose(reader.hidden_states_at(batch, torch.arange(11)), theirs(net, batch), atol=2e-5)
    assert not reader.supports(LowRankAdapter(values=torch.zeros(0), shapes={}, scaling=1.0))


@pytest.mark.parametrize("wrong", ["_short", "_fused"])
def test_each_way_of_attention_is_checked(
    network: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    """Together the sequences are a long row, and each alone a short one."""
    monkeypatch.setattr(Attention, wrong, lambda _, qkv, **__: torch.full((len(qkv), 32), torch.nan))
    with caplog.at_level(logging.WARNING, "donorgrid"):
        Reader(network("llama")).check(sequences([40, 60, 70]))
    assert "the fast decoder is nan nats off" in caplog.text


def test_adapters_on_other_modules_are_not_computed_by_hand(network: Network) -> None:
    reader = Reader(network("llama"))
    reader.check(sequences([4, 8, 15]))

    def adapter_of(*names: str) -> LowRankAdapter:
        shapes = dict.fromkeys(names, ((2, 32), (32, 2)))
        return LowRankAdapter(values=torch.zeros(128 * len(names)), shapes=shapes, scaling=1.0)

    down, key, query = (f"model.layers.0.{one}" for one in ("mlp.down_proj", "self_attn.k_proj", "self_attn.q_proj"))
    assert reader.supports(adapter_of(query, key, down))
    assert not reader.supports(adapter_of("lm_head"))
    assert not reader.supports(adapter_of(key, query)), "in another order than the products"
    assert not reader.supports(adapter_of(query, down, key))
