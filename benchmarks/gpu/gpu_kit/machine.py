"""The card, the versions, and what the card reaches: products in bf16 and float32, copies in its memory."""

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from gpu_kit.runner import Report, Settings

_PACKAGES = ("torch", "transformers", "peft", "triton", "numba", "numpy", "accelerate", "lm_eval", "datasets")
DATASHEET_BF16 = {"H100": 989e12, "H200": 989e12}
"""Dense bf16 operations per second of the SXM cards, by NVIDIA's data sheets."""


def machine(settings: Settings, report: Report) -> None:
    """Names the card and measures its rates on random data."""
    report(card=card(settings.device), versions=versions(), python=platform.python_version())
    size = 256 if settings.tiny else 8192
    rates = {name: product_rate(dtype, size, settings.device) for name, dtype in _DTYPES.items()}
    report(**{f"{name} products, FLOP/s": rate for name, rate in rates.items()})
    source = torch.empty(size * size * 8, dtype=torch.float32, device=settings.device)
    target = torch.empty_like(source)
    seconds = shortest(lambda: target.copy_(source), settings.device)
    report(**{"copy, bytes read and written per second": 2 * source.numel() * 4 / seconds, "ok": True})


_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def card(device: str) -> str:
    """The name of the card and its memory."""
    if device == "cpu":
        return "cpu"
    properties = torch.cuda.get_device_properties(0)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"


def versions() -> dict[str, str]:
    """The versions of what the results depend on."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def product_rate(dtype: torch.dtype, size: int, device: str) -> float:
    """Floating-point operations per second of square products, the best of ten."""
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / shortest(lambda: left @ right, device, repeats=10)


def shortest(work: Callable[[], Any], device: str, *, repeats: int = 5) -> float:
    """Seconds of the fastest of several repeats, after one that is not timed."""
    times = []
    for _ in range(repeats + 1):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def wait(device: str) -> None:
    """Waits until the device has done its work."""
    if device != "cpu":
        torch.cuda.synchronize()


def peak_gib(device: str) -> float:
    """The most memory that tensors held since the last call of ``reset_peak``, in GiB; 0 on a CPU."""
    return 0.0 if device == "cpu" else torch.cuda.max_memory_allocated() / 2**30


def reset_peak(device: str) -> None:
    """Forgets the former peak of memory, and gives unused memory back."""
    if device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
