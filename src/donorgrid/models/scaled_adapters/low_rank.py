"""Any change of linear weights as a LoRA adapter: the best approximation of a rank, with its error."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor

from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, LORA_A, LORA_B, tensor_key


def write_low_rank(changes: Mapping[str, Tensor], folder: Path, *, rank: int, config: Mapping[str, Any]) -> float:
    """Writes changes of weights as a LoRA adapter, by singular value decomposition (Eckart and Young 1936).

    Parameters
    ----------
    changes
        By module: what is added to its weight, ``(n_out, n_in)``.
    folder
        An existing folder, for the files.
    rank
        The rank; at most that of a weight counts.
    config
        PEFT's configuration of the adapter that is approximated: its base model is named again.

    Returns
    -------
    float
        The error: the Frobenius norm of what is left out over that of all changes, 0-1.
    """
    tensors, left_out, whole = {}, 0.0, 0.0
    for module, change in changes.items():
        u, s, v = torch.linalg.svd(change.double(), full_matrices=False)
        root, missing = s[:rank].sqrt(), rank - len(s)
        a, b = root[:, None] * v[:rank], u[:, :rank] * root
        if missing > 0:
            a, b = (torch.nn.functional.pad(a, (0, 0, 0, missing)), torch.nn.functional.pad(b, (0, missing)))
        tensors[tensor_key(module, LORA_A)] = a.float().contiguous()
        tensors[tensor_key(module, LORA_B)] = b.float().contiguous()
        left_out += float((s[rank:] ** 2).sum())
        whole += float((s**2).sum())
    save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    lora = LoraConfig(
        r=rank,
        lora_alpha=rank,
        target_modules=sorted(changes),
        task_type=config.get("task_type") or "CAUSAL_LM",
        base_model_name_or_path=config.get("base_model_name_or_path"),
        inference_mode=True,
    ).to_dict()
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in lora.items()}
    (folder / ADAPTER_CONFIG).write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    return float((left_out / whole) ** 0.5) if whole else 0.0
