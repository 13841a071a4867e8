"""Devices and processes: whether a device is there, and how many processes share the work."""

import os
from pathlib import Path

from donorgrid import models

_ALWAYS_THERE = ("auto", "cpu")
_GPU_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))


def check_device(device: str) -> None:
    """Raises InputError for a device that is not there. Loads torch only where it has to look."""
    if device not in _ALWAYS_THERE:
        models.loading.pick_device(device)


def is_probably_cpu(device: str) -> bool:
    """True if work on a device will be done on the CPU, as far as can be seen before torch is loaded."""
    return device == "cpu" or (device == "auto" and not any(path.exists() for path in _GPU_DRIVERS))


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs(device: str) -> int:
    """One process per core on a CPU, where small steps do not fill two cores; one on a GPU."""
    return n_cores() if device == "cpu" else 1
