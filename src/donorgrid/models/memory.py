"""Tells a device that is out of memory from a program that is wrong."""

import torch

_CPU_MESSAGES = ("can't allocate memory", "not enough memory")


def out_of_memory(error: RuntimeError) -> bool:
    """True if ``error`` says that the device has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(message in str(error) for message in _CPU_MESSAGES)
