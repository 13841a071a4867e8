"""Merging an adapter into the resident base, and taking it out again bit for bit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor

from donorgrid.core.errors import InputError
from donorgrid.models.checkpoints import put_checkpoint
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.models.weight_backup import WeightBackup

# The keys of an adapter's configuration that leave its product ``scaling * B A`` all that it adds to the model. With
# any other key set, PEFT itself must merge it.
_PLAIN_KEYS = {
    *("alora_invocation_tokens", "base_model_name_or_path", "exclude_modules", "inference_mode", "layers_pattern"),
    *("layers_to_transform", "lora_alpha", "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "r"),
    *("revision", "target_modules", "task_type", "use_rslora"),
}
_PLAIN_VALUES = {"peft_type": "LORA", "bias": "none", "init_lora_weights": True}
ADAPTER_CONFIG = "adapter_config.json"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


class AdapterSwitch:
    """Lets one resident base compute as an adapter says, one adapter at a time.

    It keeps a copy of every weight that was ever changed. A base in 4 bit has no weights to add to: there adapters are
    active beside the weights, by PEFT's own modules ("unmerged").
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._network = base.network
        self._backup = WeightBackup(base.network)

    @contextmanager
    def active(self, adapter: Path) -> Iterator[None]:
        """While the body runs, the base computes with what lies in the folder ``adapter``.

        That is an adapter in PEFT's format, or the whole checkpoint of a full fine-tuning. Afterwards, also after an
        exception, the base's weights are the former ones. Raises InputError for an adapter that changes more than
        weights of the base, and for a checkpoint of another model.
        """
        try:
            if not (adapter / ADAPTER_CONFIG).exists():
                put_checkpoint(self._network, adapter, self._backup)
                yield
            elif self._base.is_quantised:
                with active_unmerged(self._network, adapter):
                    yield
            else:
                self._merge(adapter)
                yield
        finally:
            self._backup.restore()

    def _merge(self, adapter: Path) -> None:
        config = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        tensors = load_file(adapter / "adapter_model.safetensors")
        for key, only in (("modules_to_save", None), ("bias", "none"), ("layer_replication", None)):
            if config.get(key) not in (only, None):
                raise InputError(
                    f"{adapter}: an adapter with {key} {config[key]!r} cannot be merged and taken out again"
                )
        if _is_plain(config, tensors):
            self._add(tensors, config)
        else:
            self._merge_by_peft(adapter, tensors)

    def _add(self, tensors: dict[str, Tensor], config: dict[str, Any]) -> None:
        """Add ``scaling * B A`` to each weight, as PEFT does: the product in float32, then rounded to the base's."""
        scaling = config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
        with torch.no_grad():
            for key, low in tensors.items():
                if not key.endswith(_A):
                    continue
                weight = self._backup.keep(key.removeprefix(_PREFIX).removesuffix(_A) + ".weight")
                high = tensors[key.removesuffix(_A) + _B]
                a, b = (one.to(weight.device, torch.float32) for one in (low, high))
                weight.add_((b @ a).mul_(scaling))

    def _merge_by_peft(self, adapter: Path, tensors: dict[str, Tensor]) -> None:
        """Kept first: some methods change the base's weights as soon as PEFT loads them."""
        for key in tensors:
            self._backup.keep(key.removeprefix(_PREFIX).partition(".lora_")[0] + ".weight")
        with quiet_deprecations():
            adapted = PeftModel.from_pretrained(self._network, adapter, is_trainable=False)
        adapted.merge_and_unload()
        self._network.eval()


@contextmanager
def active_unmerged(network: Any, adapter: Path) -> Iterator[None]:
    """While the body runs, PEFT's modules stand in the network and add what the adapter says to what its maps give."""
    with quiet_deprecations():
        adapted = PeftModel.from_pretrained(network, adapter, is_trainable=False)
    try:
        network.eval()
        yield
    finally:
        adapted.unload()
        network.eval()


def _is_plain(config: dict[str, Any], tensors: dict[str, Tensor]) -> bool:
    values_fit = all(config.get(key) == value for key, value in _PLAIN_VALUES.items())
    others = config.keys() - _PLAIN_KEYS - _PLAIN_VALUES.keys()
    return values_fit and not any(config[key] for key in others) and all(key.endswith((_A, _B)) for key in tensors)
