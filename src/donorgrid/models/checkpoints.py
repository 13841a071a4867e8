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
from donorgrid.models.weight_backup import WeightBackup


def save_checkpoint(network: Any, tokenizer_from: Path, folder: Path) -> None:
    """Write the network as it stands, with the tokenizer of ``tokenizer_from``: ``from_pretrained`` reads both."""
    network.save_pretrained(folder)
    for file in tokenizer_files(tokenizer_from):
        shutil.copyfile(file, folder / file.name)


def put_checkpoint(network: Any, folder: Path, backup: WeightBackup) -> None:
    """Give the network the weights of the checkpoint in ``folder``; ``backup`` keeps those that change.

    Raises InputError for a checkpoint of another model.
    """
    theirs = dict(load_network(folder, dtype=network.dtype).named_parameters())
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name not in theirs or theirs[name].shape != weight.shape:
                raise InputError(f"{folder}: a checkpoint of another model: it has no {name} {tuple(weight.shape)}")
            new = theirs.pop(name).to(weight.device)
            if not torch.equal(new, weight):
                backup.keep(name).copy_(new)
    if theirs:
        raise InputError(f"{folder}: a checkpoint of another model: the base has no {next(iter(theirs))}")
