"""Whether an adapter that PEFT loaded may be merged into the base's weights, and merging it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from peft import PeftType
from peft.tuners.lora.layer import Linear as LoraLinear
from peft.tuners.lora.variants import DoraLinearVariant
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils.other import AuxiliaryTrainingWrapper

from donorgrid.models.merging import add_product
from donorgrid.models.weight_backup import WeightBackup

_ADAPTER = "default"


def merge_loaded(adapted: Any, backup: WeightBackup, *, strength: float = 1.0) -> None:
    """Merges an adapter that PEFT loaded into the weights of the base: W0 + strength (W' - W0).

    Plain LoRA is added in float32. What starts from other weights than the base's (PiSSA) or scales the sum (DoRA) is
    merged by PEFT's layers, as in a study.

    Parameters
    ----------
    adapted
        A PEFT model for which ``can_be_merged`` holds, over a copy of the base.
    backup
        Of the base's network; gets a copy of every weight before it changes.
    strength
        How much of the adapter's change is applied.
    """
    for module, layer in _tuner_layers(adapted):
        weight = backup.back_up(f"{module}.weight")
        if layer.lora_variant or layer.get_base_layer().weight.data_ptr() != weight.data_ptr():
            layer.merge(safe_merge=True)  # into a new tensor: the base's memory is not written into
            with torch.no_grad():
                weight.copy_(layer.get_base_layer().weight)
            backup.interpolate(strength, [f"{module}.weight"])
        else:
            lora_a, lora_b = (factors[_ADAPTER].weight for factors in (layer.lora_A, layer.lora_B))
            add_product(backup, module, lora_a, lora_b, strength * layer.scaling[_ADAPTER])


def can_be_merged(adapted: Any, network: Any) -> bool:
    """Whether an adapter that PEFT loaded changes linear weights of the base alone, by LoRA or DoRA.

    Parameters
    ----------
    adapted
        The PEFT model, over a copy of the base that shares its weights.
    network
        The base's network.

    Returns
    -------
    bool
        False if anything else differs from the base (saved modules, biases, a resized vocabulary, another method), or
        if a changed weight is tied: added to it, the adapter would change the other module too.
    """
    layers = dict(_tuner_layers(adapted))
    if not layers or adapted.peft_config[_ADAPTER].peft_type != PeftType.LORA:
        return False
    if any(isinstance(module, AuxiliaryTrainingWrapper) for module in adapted.modules()):
        return False
    base = dict(network.named_parameters(remove_duplicate=False))
    uses = Counter(map(id, base.values()))
    if any(uses[id(base.get(f"{module}.weight"))] != 1 for module in layers):
        return False
    unchanged = {parameter.data_ptr() for parameter in base.values()}
    changed = {id(layer.get_base_layer().weight) for layer in layers.values()}
    return all(map(_is_plain_layer, layers.values())) and all(
        parameter.data_ptr() in unchanged or id(parameter) in changed
        for name, parameter in adapted.named_parameters()
        if not name.split(".")[-3].startswith("lora_")
    )


def _is_plain_layer(layer: Any) -> bool:
    is_linear = type(layer) is LoraLinear and type(layer.get_base_layer()) is torch.nn.Linear
    is_lora_or_dora = all(isinstance(variant, DoraLinearVariant) for variant in layer.lora_variant.values())
    return is_linear and is_lora_or_dora and not layer.fan_in_fan_out and not layer.lora_bias[_ADAPTER]


def _tuner_layers(adapted: Any) -> Iterator[tuple[str, Any]]:
    for name, module in adapted.get_base_model().named_modules():
        if isinstance(module, BaseTunerLayer):
            yield name, module
