"""Stacked adapters: whose gradients a loss gives, and what cannot be trained is said."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from donorgrid.core.errors import RunFailure
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train import stacked_adapters
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters

IDS = torch.tensor([[3, 14, 15, 92, 65, 35, 89, 79], [32, 38, 46, 26, 43, 38, 32, 79]])


@pytest.mark.parametrize("n", [1, 2])
def test_a_module_that_reads_nothing_cannot_be_trained(n: int) -> None:
    network = torch.nn.ModuleDict({"read": torch.nn.Linear(3, 4), "unread": torch.nn.Linear(3, 4)})
    network.get_input_embeddings = lambda: network["read"]
    layout = AdapterLayout(shapes=dict.fromkeys(("read", "unread"), ((2, 3), (4, 2))), scaling=1.0)
    stack = StackedAdapters(layout, torch.randn(n, 28))
    with stack.active(network, n_tokens=6):
        loss = network["read"](torch.randn(6, 3)).sum()
    with pytest.raises(RunFailure, match="module 'unread' reads nothing: it cannot be trained"):
        stack.gradients(loss)


def adapted_llama(n: int):
    """A network in bf16 with adapters whose B are not 0, and PEFT's model of the first of them."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=2)
    config.update({"num_attention_heads": 4, "num_key_value_heads": 2})
    network = LlamaForCausalLM(config).to(torch.bfloat16).requires_grad_(False)
    shapes = {
        name: ((4, module.in_features), (module.out_features, 4))
        for name, module in network.named_modules()
        if name.endswith("_proj")
    }
    size = sum(a[0] * a[1] + b[0] * b[1] for a, b in shapes.values())
    return network, StackedAdapters(AdapterLayout(shapes=shapes, scaling=2.0), 0.1 * torch.randn(n, size))


def gradients_of(stack, network, ids):
    with stack.active(network, n_tokens=ids.numel()):
        loss = network(input_ids=ids, labels=ids).loss
    return loss.item(), stack.gradients(loss)


def test_products_in_bf16_are_those_of_peft_under_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    network, stack = adapted_llama(1)
    in_float32, exact = gradients_of(stack, network, IDS)
    monkeypatch.setattr(stacked_adapters, "product_dtype", lambda _: torch.bfloat16)
    loss, gradients = gradients_of(stack, network, IDS)
    assert gradients.dtype == torch.float32

    config = LoraConfig(r=4, lora_alpha=8.0, target_modules=list(stack.layout.shapes))
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
    factors = stack.layout.split(stack.values)
    peft = dict(adapted.named_parameters())
    for name, pair in factors.items():
        for letter, factor in zip("AB", pair, strict=True):
            peft[f"base_model.model.{name}.lora_{letter}.default.weight"].data.copy_(factor[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        their_loss = adapted(input_ids=IDS, labels=IDS).loss
    their_loss.backward()
    parts = [
        peft[f"base_model.model.{name}.lora_{letter}.default.weight"].grad.flatten()
        for letter in "AB"
        for name in factors
    ]
    theirs = torch.cat(parts)[None]
    assert loss == pytest.approx(their_loss.item(), abs=0.01)
    gap, rounding = ((gradients - other).norm() / other.norm() for other in (theirs, exact))
    assert gap < 0.05
    assert 0 < rounding < 0.05  # the gradient of products in float32
    assert loss == pytest.approx(in_float32, abs=0.01)


def test_adapters_side_by_side_in_bf16_have_the_gradients_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_adapters, "product_dtype", lambda _: torch.bfloat16)
    network, stack = adapted_llama(2)
    _, together = gradients_of(stack, network, IDS)  # the mean over both rows: half of each row's mean
    for index in (0, 1):
        _, alone = gradients_of(stack.select([index]), network, IDS[index : index + 1])
        assert (together[index] - alone[0] / 2).norm() < 0.02 * alone.norm()


def test_values_that_the_optimizer_changed_are_the_ones_that_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_adapters, "product_dtype", lambda _: torch.bfloat16)
    network, stack = adapted_llama(1)
    first, gradients = gradients_of(stack, network, IDS)
    with torch.no_grad():
        stack.values.sub_(gradients)
    assert gradients_of(stack, network, IDS)[0] < first
