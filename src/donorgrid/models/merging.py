"""Merging an adapter into the resident base, and taking it out again bit for bit.

The former weights are copied back from a copy that is kept for as long as the base is resident: subtracting the
low-rank product again would leave round-off.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor

from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations

# The keys of an adapter's configuration that leave its product ``scaling * B A`` all that it adds to the model. With
# any other key set, PEFT itself must merge it.
_PLAIN_KEYS = {
    *("alora_invocation_tokens", "base_model_name_or_path", "exclude_modules", "inference_mode", "layers_pattern"),
    *("layers_to_transform", "lora_alpha", "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "r"),
    *("revision", "target_modules", "task_type", "use_rslora"),
}
_PLAIN_VALUES = {"peft_type": "LORA", "bias": "none", "init_lora_weights": True}
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


class Merger:
    """Merges adapters into one resident base, one at a time; it keeps a copy of every weight that was ever merged."""

    def __init__(self, base: Base) -> None:
        self._network = base.network
        self._kept: dict[str, Tensor] = {}
        self._fingerprint = fingerprint(base.network)

    @contextmanager
    def merged(self, adapter: Path) -> Iterator[None]:
        """While the body runs, the base computes with the adapter in ``adapter`` (a PEFT folder) merged in.

        Afterwards, also after an exception, its weights are the former ones. Raises InputError for an adapter that
        changes more than weights of the base.
        """
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(adapter / "adapter_model.safetensors")
        for key, only in (("modules_to_save", None), ("bias", "none"), ("layer_replication", None)):
            if config.get(key) not in (only, None):
                raise InputError(
                    f"{adapter}: an adapter with {key} {config[key]!r} cannot be merged and taken out again"
                )
        try:
            if _is_plain(config, tensors):
                self._add(tensors, config)
            else:
                self._merge_by_peft(adapter, tensors)
            yield
        finally:
            self._restore()

    def _add(self, tensors: dict[str, Tensor], config: dict[str, Any]) -> None:
        """Add ``scaling * B A`` to each weight, as PEFT does: the product in float32, then rounded to the base's."""
        scaling = config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
        with torch.no_grad():
            for key, low in tensors.items():
                if not key.endswith(_A):
                    continue
                weight = self._keep(key.removeprefix(_PREFIX).removesuffix(_A))
                high = tensors[key.removesuffix(_A) + _B]
                a, b = (one.to(weight.device, torch.float32) for one in (low, high))
                weight.add_((b @ a).mul_(scaling))

    def _merge_by_peft(self, adapter: Path, tensors: dict[str, Tensor]) -> None:
        """Kept first: some methods change the base's weights as soon as PEFT loads them."""
        for key in tensors:
            self._keep(key.removeprefix(_PREFIX).partition(".lora_")[0])
        with quiet_deprecations():
            adapted = PeftModel.from_pretrained(self._network, adapter, is_trainable=False)
        adapted.merge_and_unload()
        self._network.eval()

    def _keep(self, module: str) -> Tensor:
        """A module's weight, of which a copy is kept from the first time on."""
        weight: Tensor = self._network.get_submodule(module).weight
        if module not in self._kept:
            self._kept[module] = weight.detach().clone()
        return weight

    def _restore(self) -> None:
        with torch.no_grad():
            for name, kept in self._kept.items():
                self._network.get_submodule(name).weight.copy_(kept)
        if fingerprint(self._network) != self._fingerprint:
            raise DonorgridError("the base model's weights did not come back after merging an adapter: start again")


def fingerprint(network: Any) -> int:
    """A 64-bit sum over the bits of all weights, each tensor weighed by its place: cheap enough to take every time."""
    words = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    total = 0
    for place, tensor in enumerate(network.state_dict().values()):
        bits = tensor.detach().contiguous().view(words.get(tensor.element_size(), torch.uint8))
        total = (total * 1_000_003 + place + int(bits.sum(dtype=torch.int64).item())) % 2**64
    return total


def _is_plain(config: dict[str, Any], tensors: dict[str, Tensor]) -> bool:
    values_fit = all(config.get(key) == value for key, value in _PLAIN_VALUES.items())
    others = config.keys() - _PLAIN_KEYS - _PLAIN_VALUES.keys()
    return values_fit and not any(config[key] for key in others) and all(key.endswith((_A, _B)) for key in tensors)
