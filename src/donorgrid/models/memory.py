"""Telling a device that is out of memory from a program that is wrong."""

import torch

_CPU_MESSAGES = ("can't allocate memory", "not enough memory")


def out_of_memory(error: RuntimeError) -> bool:
    """Whether ``error`` says that the device has no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or any(one in str(error) for one in _CPU_MESSAGES)
