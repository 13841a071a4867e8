"""Merging an adapter into the resident base, and taking it out again bit for bit.

The former weights are copied back from a kept copy: subtracting the low-rank product again would leave round-off.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer

from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations


@contextmanager
def merged(base: Base, adapter: Path) -> Iterator[None]:
    """While the body runs, ``base.network`` computes with the adapter in ``adapter`` (a PEFT folder) merged in."""
    with quiet_deprecations():
        adapted = PeftModel.from_pretrained(base.network, adapter, is_trainable=False)
    kept = {
        name: module.get_base_layer().weight.detach().clone()
        for name, module in base.network.named_modules()
        if isinstance(module, BaseTunerLayer)
    }
    try:
        adapted.merge_and_unload()
        base.network.eval()
        yield
    finally:
        with torch.no_grad():
            for name, weight in kept.items():
                base.network.get_submodule(name).weight.copy_(weight)
