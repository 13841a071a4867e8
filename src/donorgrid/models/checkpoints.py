"""A whole fine-tuned model on disk, and its weights in the resident base.

The folder is a checkpoint of transformers: config.json, safetensors, and the tokenizer's files as they lie in the base.
"""

import shutil
from pathlib import Path
from typing import Any

import torch

from donorgrid.core.errors import InputError
from donorgrid.models.folders import tokenizer_files
from donorgrid.models.loading import load_network
from donorgrid.models.weight_backup import WeightBackup, between


def save_checkpoint(network: Any, tokenizer_from: Path, folder: Path) -> None:
    """Writes a network and a tokenizer so that ``from_pretrained`` reads both.

    Parameters
    ----------
    network
        A transformers model, saved with the weights that it holds now.
    tokenizer_from
        The folder whose tokenizer files are copied.
    folder
        Where the checkpoint goes.
    """
    network.save_pretrained(folder)
    for file in tokenizer_files(tokenizer_from):
        shutil.copyfile(file, folder / file.name)


def put_checkpoint(network: Any, folder: Path, backup: WeightBackup, *, strength: float = 1.0) -> None:
    """Gives a network the weights of a checkpoint, or weights between its own and those: W0 + strength (W' - W0).

    Parameters
    ----------
    network
        The base's network, of which weights change in place.
    folder
        A checkpoint of the same architecture.
    backup
        Gets a copy of every weight that changes.
    strength
        How much of the change is applied.

    Raises
    ------
    InputError
        The checkpoint is of another model: a weight is missing, left over, or has another shape.
    """
    new_weights = dict(load_network(folder, dtype=network.dtype).named_parameters())
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name not in new_weights or new_weights[name].shape != weight.shape:
                raise InputError(f"{folder}: a checkpoint of another model: it has no {name} {tuple(weight.shape)}")
            new = new_weights.pop(name).to(weight.device)
            if not torch.equal(new, weight):
                backup.back_up(name).copy_(between(weight, new, strength))
    if new_weights:
        raise InputError(f"{folder}: a checkpoint of another model: the base has no {next(iter(new_weights))}")
