"""Products in bf16: kernels agree, and the fast decoder is at least as exact as transformers' layers in bf16."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from donorgrid.models.fast_cpu import bf16_products
from donorgrid.models.fast_cpu.bf16_products import bf16_kernel, multiply_bf16
from donorgrid.models.fast_cpu.decoder import make_fast_decoder
from donorgrid.models.low_rank import join_factors
from donorgrid.models.masks import hidden_states
from donorgrid.models.output_head import target_loglik_nats, token_losses_nats
from donorgrid.models.reader import Reader
from donorgrid.models.rows import RowBatch, packed_row, pad_rows
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters
from worlds import make_checkpoint

KINDS = ("llama", "qwen2", "qwen3", "gemma3")
Networks = Callable[[str], tuple[Any, Any]]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Loads a tiny network in bf16, and its very weights as float32."""
    root = tmp_path_factory.mktemp("networks")

    def load(kind: str) -> tuple[Any, Any]:
        if not (root / kind).exists():
            make_checkpoint(kind, root / kind)
        network = AutoModelForCausalLM.from_pretrained(root / kind, dtype=torch.bfloat16).requires_grad_(False).eval()
        return network, copy.deepcopy(network).float()

    return load


def batch_of(*lengths: int) -> RowBatch:
    generator = torch.Generator().manual_seed(1)
    return pad_rows(
        [packed_row([tuple(torch.randint(3, 300, (length,), generator=generator).tolist())]) for length in lengths]
    )


def tokens_of(batch: RowBatch) -> Tensor:
    return (torch.arange(batch.input_ids.shape[1]) < batch.lengths[:, None]).flatten().nonzero().squeeze(1)


def form_of(network: Any) -> Any:
    return "by layer type" if network.config.model_type.startswith(("qwen", "gemma3")) else "one mask"


@pytest.mark.parametrize("kernel", ["AVX512-BF16", "float32 units"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_kernels_round_factors_and_results_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, kernel: str, dtype: torch.dtype
) -> None:
    x, matrix = torch.randn(40, 64), torch.randn(64, 96).to(dtype)
    monkeypatch.setattr(bf16_products, "bf16_kernel", lambda: kernel)
    exact = x.bfloat16().double() @ matrix.bfloat16().double()
    product = multiply_bf16(x, matrix)
    assert product.dtype == torch.bfloat16
    assert ((product.double() - exact).abs() <= 2**-8 * exact.abs() + 1e-5).all()


def test_the_trial_leaves_the_random_state_and_names_a_kernel() -> None:
    bf16_kernel.cache_clear()
    before = torch.get_rng_state()
    assert bf16_kernel() in ("AMX", "AVX512-BF16", "bf16 of the processor", "float32 units")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_faster_kernel_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"_by_float32_units": 1.0, "_by_bf16_units": 0.5}
    monkeypatch.setattr(bf16_products, "_seconds", lambda multiply, *_: seconds[multiply.__name__])
    monkeypatch.setattr(bf16_products, "_processor_flags", lambda: {"avx512_bf16", "amx_bf16"})
    bf16_kernel.cache_clear()
    assert bf16_kernel() == "AMX"
    monkeypatch.setattr(bf16_products, "_processor_flags", lambda: {"avx512_bf16"})
    bf16_kernel.cache_clear()
    assert bf16_kernel() == "AVX512-BF16"
    seconds["_by_bf16_units"] = 5.0
    bf16_kernel.cache_clear()
    assert bf16_kernel() == "float32 units"
    bf16_kernel.cache_clear()


@pytest.mark.parametrize("kernel", ["AVX512-BF16", "float32 units"])
@pytest.mark.parametrize("kind", KINDS)
def test_log_likelihoods_are_nearer_to_exact_ones_than_those_of_the_peer(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, kind: str, kernel: str
) -> None:
    """The exact ones are computed in float32 with the same weights; the peer is transformers in bf16."""
    monkeypatch.setattr(bf16_products, "bf16_kernel", lambda: kernel)
    network, exact_network = networks(kind)
    batch, decoder = batch_of(9, 30, 30, 140), make_fast_decoder(network)
    assert decoder is not None
    assert decoder.prepare()
    indices, targets = tokens_of(batch), torch.arange(len(tokens_of(batch))) % 300

    def loglik(net: Any, hidden: Tensor) -> Tensor:
        return target_loglik_nats(net, hidden, torch.arange(len(hidden)), targets)

    with torch.inference_mode():
        exact = loglik(exact_network, hidden_states(exact_network, batch, form_of(network)).flatten(0, 1)[indices])
        peer = loglik(network, hidden_states(network, batch, form_of(network)).flatten(0, 1)[indices])
        hidden = decoder.hidden_states_at(batch, indices)
        assert hidden.dtype == torch.float32
        error, peer_error = ((nats - exact).pow(2).mean().sqrt() for nats in (loglik(network, hidden), peer))
    assert 0 < error < peer_error


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_nearer_to_exact_ones_than_those_of_the_peer(networks: Networks, kind: str) -> None:
    network, exact_network = networks(kind)
    batch = batch_of(9, 30, 21)
    indices = tokens_of(batch)[::3]
    targets = torch.arange(len(indices)) % 300

    def gradient(net: Any, *, fast: bool) -> Tensor:
        stacked = adapter_of(net)
        adapter = stacked.low_rank()
        assert adapter is not None
        if fast:
            decoder = make_fast_decoder(net)
            assert decoder is not None
            assert decoder.prepare()
            assert decoder.supports(adapter)
            hidden = decoder.hidden_states_at(batch, indices, adapter)
        else:
            with stacked.active(net, n_tokens=batch.input_ids.numel()):
                hidden = hidden_states(net, batch, form_of(net)).flatten(0, 1)[indices]
        return stacked.gradients(token_losses_nats(net, hidden, targets).mean())

    exact = gradient(exact_network, fast=False)
    error = (gradient(network, fast=True) - exact).norm()
    peer_error = (gradient(network, fast=False) - exact).norm()
    assert 0 < error < peer_error


def adapter_of(network: Any) -> StackedAdapters:
    torch.manual_seed(3)
    modules = {
        name: module
        for name, module in network.named_modules()
        if type(module) is torch.nn.Linear and name != "lm_head"
    }
    factors = {
        name: (torch.randn(4, module.in_features) * 0.1, torch.randn(module.out_features, 4) * 0.1)
        for name, module in modules.items()
    }
    shapes = {name: ((4, module.in_features), (module.out_features, 4)) for name, module in modules.items()}
    return StackedAdapters(AdapterLayout(shapes=shapes, scaling=2.0), join_factors(factors)[None])


def test_the_reader_reads_networks_in_bf16_fast(networks: Networks, tmp_path: Path) -> None:
    network, _ = networks("llama")
    reader = Reader(network)
    reader.check([tuple(range(3, 3 + length)) for length in (4, 9, 20)])
    assert reader.hidden_states_at(batch_of(11), torch.arange(11)).dtype == torch.float32


def test_two_decoders_of_one_network_share_its_weights(networks: Networks) -> None:
    _, network = networks("qwen2")
    first = make_fast_decoder(network)
    assert first is not None
    address = network.get_decoder().layers[0].self_attn.v_proj.weight.data_ptr()
    second = make_fast_decoder(network, in_bf16=True)
    assert second is not None
    assert first.prepare()
    assert second.prepare()
    assert network.get_decoder().layers[0].self_attn.v_proj.weight.data_ptr() == address
    batch = batch_of(12)
    with torch.inference_mode():
        in_fp32, in_bf16 = (decoder.hidden_states_at(batch, torch.arange(12)) for decoder in (first, second))
    assert 1e-5 < (in_fp32 - in_bf16).abs().max() < 0.5
