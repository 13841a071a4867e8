"""The strength of an adapter that PEFT computes beside the base's weights: W0 + strength (W' - W0)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora.layer import LoraLayer
from peft.tuners.trainable_tokens.layer import TrainableTokensLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor

from donorgrid.core.errors import InputError
from donorgrid.models.peft_adapters.reading import same_without_adapter
from donorgrid.models.peft_adapters.vocabulary import base_name, with_rows
from donorgrid.models.weight_backup import between

_ADAPTER = "default"


class AdjustableStrength:
    """Sets how much of an adapter's change a network computes with.

    LoRA's products are scaled. Parameters that the adapter replaces (saved modules, biases, rows of trained tokens,
    weights that it starts from) lie between the base's and its own. Of every other method the outputs of each module
    do: all its modules are linear maps, so that this is the same as weights in between.

    Parameters
    ----------
    folder
        The adapter, for messages.
    adapted
        A PEFT model over a copy of the base.
    network
        The base's network.

    Raises
    ------
    InputError
        Something that the adapter changes would stay when its strength is 0.
    """

    def __init__(self, folder: Path, adapted: Any, network: Any) -> None:
        self._replaced = [(parameter, base, parameter.data) for parameter, base in _replaced(adapted, network)]
        changed = {id(parameter) for parameter, *_ in self._replaced}
        for layer in _layers(adapted):
            if not _is_scaled(layer) and any(id(weight) in changed for weight in layer.get_base_layer().parameters()):
                raise InputError(
                    f"adapter '{folder}': it changes weights in two ways at once; only strength 1 is possible"
                )
        self._layers = [_Layer(layer) for layer in _layers(adapted)]
        self.set(0.0)
        if not same_without_adapter(adapted, network):
            kind = adapted.peft_config[_ADAPTER].peft_type.value
            raise InputError(
                f"adapter '{folder}': {kind} changes more than weights; only strengths 0 and 1 are possible"
            )
        self.set(1.0)

    def set(self, strength: float) -> None:
        """The network computes with this strength from now on; 1 is the adapter itself, bit for bit."""
        for parameter, base, changed in self._replaced:
            parameter.data = between(base.to(changed), changed, strength)
        for layer in self._layers:
            layer.set(strength)


def scale_layers(adapted: Any, strength: float) -> None:
    """Scales what PEFT's modules add to the base's linear maps.

    Parameters
    ----------
    adapted
        A PEFT model that changes linear maps alone, by LoRA or DoRA.
    strength
        How much of it is added.
    """
    for layer in _layers(adapted):
        _Layer(layer).set(strength)


class _Layer:
    """One of PEFT's modules: LoRA's product is scaled; outputs of other methods lie between the base's and its own."""

    def __init__(self, layer: Any) -> None:
        self._layer, self._forward, self._strength = layer, layer.forward, 1.0
        self._scaling = layer.scaling[_ADAPTER] if _is_scaled(layer) else None

    def set(self, strength: float) -> None:
        self._strength = strength
        if self._scaling is not None:
            self._layer.scaling[_ADAPTER] = strength * self._scaling
        else:
            self._layer.forward = self._forward if strength == 1 else self._between

    def _between(self, *inputs: Any, **options: Any) -> Tensor:
        base: Tensor = self._layer.get_base_layer()(*inputs, **options)
        return between(base, self._forward(*inputs, **options), self._strength)


def _layers(adapted: Any) -> Iterator[Any]:
    for module in adapted.get_base_model().modules():
        if isinstance(module, BaseTunerLayer) and not isinstance(module, TrainableTokensLayer):
            yield module


def _is_scaled(layer: Any) -> bool:
    """True for LoRA whose output is the base's plus ``scaling`` times a product."""
    return isinstance(layer, LoraLayer) and not layer.lora_variant


def _replaced(adapted: Any, network: Any) -> Iterator[tuple[Any, Tensor]]:
    """The parameters that stand in place of the base's, each with the base's values; tied ones once."""
    copied, base, done = adapted.get_base_model(), dict(network.named_parameters(remove_duplicate=False)), set()
    for module in copied.modules():
        if isinstance(module, TrainableTokensLayer):
            rows, originals = module.trainable_tokens_delta[_ADAPTER], module.trainable_tokens_original[_ADAPTER]
            if id(rows) not in done:
                done.add(id(rows))
                yield rows, originals
    for name, parameter in copied.named_parameters():
        original = base.get(base_name(name))
        if original is None or parameter.data_ptr() == original.data_ptr():
            continue
        values = with_rows(original.detach(), len(parameter))
        if not torch.equal(values, parameter):
            yield parameter, values
