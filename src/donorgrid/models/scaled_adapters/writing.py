"""Writes an adapter at a strength in one of three forms, and checks that PEFT computes with it as it should."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import changed_modules, is_adapter, read_config
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.checkpoints import save_checkpoint
from donorgrid.models.loading import Base
from donorgrid.models.output_head import logits_at
from donorgrid.models.scaled_adapters.factors import write_scaled_factors
from donorgrid.models.scaled_adapters.low_rank import write_low_rank

_N_TOKENS = 8
_SAME_NATS = 1e-4
"""Of float32; a form that is wrong is off by far more."""


def write_scaled(
    base: Base, adapter: Path, folder: Path, *, strength: float, form: str | None = None, rank: int | None = None
) -> str:
    """Writes an adapter, or a whole checkpoint, at a strength.

    Parameters
    ----------
    base
        The base, in float32.
    adapter
        An adapter in PEFT's format, or a checkpoint of a full fine-tuning.
    folder
        An existing folder, for the files.
    strength
        How much of the change is applied, from 0 to 1.5.
    form
        One of ``SCALED_FORMS``; None: an adapter where its factors can be scaled, a whole model for a checkpoint.
    rank
        The rank of ``low-rank``; None: the adapter's.

    Returns
    -------
    str
        A sentence: what was written, and its measured error.

    Raises
    ------
    InputError
        The adapter has no such form; the line names those that it has.
    """
    if not is_adapter(adapter):
        if form not in (None, "merged"):
            raise InputError(f"{adapter}: a whole checkpoint has no factors; allowed is --as merged")
        return _write_merged(base, adapter, folder, strength)
    if form == "merged":
        return _write_merged(base, adapter, folder, strength)
    if form == "low-rank":
        return _write_low_rank(base, adapter, folder, strength, rank)
    return _write_factors(base, adapter, folder, strength)


def _write_factors(base: Base, adapter: Path, folder: Path, strength: float) -> str:
    config = read_config(adapter)
    if config.get("peft_type") != "LORA" or config.get("use_dora"):
        kind = "DoRA" if config.get("use_dora") else config.get("peft_type")
        raise InputError(f"adapter '{adapter}': {kind} cannot be scaled by a factor; {_OTHER_FORMS}")
    write_scaled_factors(base.network, adapter, folder, strength=strength)
    difference = _difference(base, adapter, folder, strength)
    if difference > _SAME_NATS:
        raise InputError(
            f"adapter '{adapter}': with its factors scaled, log-probabilities are off by {difference:.2g}: it changes "
            f"more than it adds (init_lora_weights {config.get('init_lora_weights')!r}); {_OTHER_FORMS}"
        )
    return f"a LoRA adapter whose factors B are multiplied by {strength:g}; largest error {difference:.1g} nats"


_OTHER_FORMS = "give --as merged (a whole model) or --as low-rank (LoRA, with its measured error)"


def _write_low_rank(base: Base, adapter: Path, folder: Path, strength: float, rank: int | None) -> str:
    config, modules = read_config(adapter), changed_modules(adapter)
    chosen = rank or config.get("r")
    if not isinstance(chosen, int) or chosen < 1:
        raise InputError(f"adapter '{adapter}': its configuration names no rank; give --rank")
    weights = {module: base.network.get_parameter(f"{module}.weight") for module in modules}
    former = {module: weight.detach().clone() for module, weight in weights.items()}
    with AdapterSwitch(base).active_by_peft(adapter, n_tokens=len(base.tokenizer), strength=strength) as (
        _,
        activation,
    ):
        if activation != "merged":
            raise InputError(f"adapter '{adapter}': it changes more than linear weights: it cannot be written as LoRA")
        changes = {module: weight.detach() - former[module] for module, weight in weights.items()}
    error = write_low_rank(changes, folder, rank=chosen, config=config)
    difference = _difference(base, adapter, folder, strength)
    return (
        f"a LoRA adapter of rank {chosen} that leaves out {100 * error:.2g}% of the change (Frobenius norm); largest "
        f"error {difference:.2g} nats"
    )


def _write_merged(base: Base, adapter: Path, folder: Path, strength: float) -> str:
    switch = AdapterSwitch(base)
    if not is_adapter(adapter):
        with switch.active(adapter, strength=strength):
            save_checkpoint(base.network, base.folder.tokenizer_path, folder)
    else:
        with switch.active_by_peft(adapter, n_tokens=len(base.tokenizer), strength=strength) as (network, activation):
            if activation != "merged":
                raise InputError(
                    f"adapter '{adapter}': it changes more than linear weights of the base: it cannot be merged into it"
                )
            save_checkpoint(network, base.folder.tokenizer_path, folder)
    return f"a whole model in float32, with {strength:g} of the change in its weights"


def _difference(base: Base, adapter: Path, scaled: Path, strength: float) -> float:
    """The largest difference of log-probabilities, on a few tokens, of what was written and what is wanted."""
    return float((_log_probabilities(base, scaled, 1.0) - _log_probabilities(base, adapter, strength)).abs().max())


def _log_probabilities(base: Base, adapter: Path, strength: float) -> Tensor:
    switch, n_tokens = AdapterSwitch(base), len(base.tokenizer)
    with switch.active_by_peft(adapter, n_tokens=n_tokens, strength=strength) as (network, _):
        return _read(network)


def _read(network: Any) -> Tensor:
    ids = torch.arange(2, 2 + _N_TOKENS, device=network.get_input_embeddings().weight.device).unsqueeze(0)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        return logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)
