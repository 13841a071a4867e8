"""L2-SP: ½ μ ‖W' - W0‖² in the loop. Gradients equal those of plain references; weight 0 changes no byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.train.attaching import ADAPTER_NAME, new_adapter
from donorgrid.train.dora import change_gradients
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters

Texts = Callable[..., tuple[EncodedText, ...]]
FIELDS = {"rank": 4, "alpha": 8.0, "epochs": 4, "batch_size": 4, "learning_rate": 0.01, "precision": "fp32"}


def recipe(method: str, **changes: object) -> Recipe:
    return Recipe(name="pulled", method=method, target_modules=("q_proj", "up_proj"), **{**FIELDS, **changes})


def written(base: Base, texts: tuple[EncodedText, ...], how: Recipe, folder: Path) -> Path:
    (result,) = train_runs(base, [Corpus(train=texts, validation=())], how, train_seeds=[17])
    folder.mkdir()
    result.save(folder)
    return next(folder.glob("*.safetensors"))


def change_norm(base: Base, how: Recipe, file: Path) -> float:
    """‖W' - W0‖ over all changed weights, from the saved files alone."""
    tensors, network = load_file(file), dict(base.network.named_parameters())
    if how.method == "full":
        return float(sum(((tensors[name] - network[name]) ** 2).sum() for name in tensors if name in network)) ** 0.5
    total, scaling = 0.0, how.alpha / how.rank
    for key, a in tensors.items():
        if "lora_A" in key:
            change = scaling * tensors[key.replace("lora_A", "lora_B")] @ a
            if how.method == "dora":
                weight = network[key.removeprefix("base_model.model.").replace("lora_A.", "")]
                magnitude = tensors[key.replace("lora_A.weight", "lora_magnitude_vector")]
                changed = weight + change
                change = magnitude[:, None] * changed / changed.norm(dim=1, keepdim=True) - weight
            total += float((change**2).sum())
    return total**0.5


def test_gradients_of_stacked_adapters_are_those_of_autograd() -> None:
    shapes = {"first": ((2, 5), (7, 2)), "second": ((3, 4), (6, 3))}
    layout = AdapterLayout(shapes=shapes, scaling=1.7)
    values = torch.randn(3, 2 * 5 + 3 * 4 + 7 * 2 + 6 * 3, generator=torch.manual_seed(1))
    leaf = values.clone().requires_grad_()
    loss = sum(0.5 * ((1.7 * b @ a) ** 2).sum() for a, b in layout.split(leaf).values())
    (expected,) = torch.autograd.grad(loss, leaf)
    assert torch.allclose(StackedAdapters(layout, values).change_gradients(), expected, rtol=1e-5, atol=1e-5)


def test_gradients_of_dora_are_the_slopes_of_the_weights_that_peft_merges(llama: Base) -> None:
    """The reference merges by PEFT at values moved a little to either side."""
    with new_adapter(llama, recipe("dora"), train_seed=17) as (_, layers):
        layers = dict(list(layers.items())[:1])
        (layer,) = layers.values()
        parameters = [
            layer.lora_A[ADAPTER_NAME].weight,
            layer.lora_B[ADAPTER_NAME].weight,
            layer.lora_magnitude_vector[ADAPTER_NAME].weight,
        ]
        generator = torch.manual_seed(2)
        with torch.no_grad():
            for parameter in parameters:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        found = change_gradients(layers)[0].split([parameter.numel() for parameter in parameters])
        base = layer.get_base_layer().weight.detach().clone()

        def half_square() -> float:
            layer.merge(safe_merge=True)
            change = layer.get_base_layer().weight.detach().double() - base.double()
            layer.merged_adapters.clear()
            layer.get_base_layer().weight.data.copy_(base)
            return 0.5 * float((change**2).sum())

        for parameter, gradient in zip(parameters, found, strict=True):
            for index in (0, parameter.numel() // 2, parameter.numel() - 1):
                values = parameter.data.view(-1)
                former, step = values[index].item(), 0.02
                values[index] = former + step
                above = half_square()
                values[index] = former - step
                slope = (above - half_square()) / (2 * step)
                values[index] = former
                assert gradient[index].item() == pytest.approx(slope, rel=0.03, abs=2e-4)


@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "full"])
def test_weight_0_changes_no_byte_and_larger_weights_pull_further(
    llama: Base, texts_of: Texts, tmp_path: Path, method: str
) -> None:
    # Against all weights the loss pulls harder (its gradient is larger): the plain training must go far for a tenth.
    texts, rate = (texts_of(4), {"learning_rate": 0.005, "epochs": 40}) if method == "full" else (texts_of(12), {})
    plain = written(llama, texts, recipe(method, **rate), tmp_path / "plain")
    none = written(llama, texts, recipe(method, l2_sp=0.0, **rate), tmp_path / "none")
    assert none.read_bytes() == plain.read_bytes()
    norms = [change_norm(llama, recipe(method), plain)]
    for weight in (0.01, 0.1, 1.0, 10.0):
        how = recipe(method, l2_sp=weight, **rate)
        norms.append(change_norm(llama, how, written(llama, texts, how, tmp_path / f"{weight}")))
    assert norms == sorted(norms, reverse=True)
    assert norms[-1] < 0.1 * norms[0]


def test_a_recipe_of_weight_0_keeps_its_name_on_disk() -> None:
    assert recipe("lora", l2_sp=0.0).hyperparameters == recipe("lora").hyperparameters
    assert "l2_sp" not in recipe("lora").hyperparameters
    assert recipe("lora", l2_sp=0.1).hyperparameters["l2_sp"] == 0.1
