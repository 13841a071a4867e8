"""Matrix products in bf16: numbers are rounded to bf16, sums are float32, results are rounded to bf16.

That is what torch and transformers compute in bf16. Which part of the processor computes it is measured once for each
process: units for bf16 (AMX or AVX512-BF16), or float32 units on rounded numbers, where bf16 is emulated and slow.
Both give the same numbers up to the order of the sums.
"""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

Kernel = Literal["AMX", "AVX512-BF16", "bf16 of the processor", "float32 units"]
_TRIAL_ROWS, _TRIAL_COLUMNS, _TRIAL_REPEATS = 256, 1024, 3
# Float32 units are taken only if they are clearly faster, so that the choice does not change from run to run.
_CLEARLY_FASTER = 0.8


def multiply_bf16(x: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies in bf16, by the kernel that ``bf16_kernel`` names.

    Parameters
    ----------
    x
        ``(n, n_in)``, float32 or bf16.
    matrix
        ``(n_in, n_out)``, float32 or bf16.

    Returns
    -------
    Tensor of shape ``(n, n_out)``, bf16
    """
    return _by_float32_units(x, matrix) if bf16_kernel() == "float32 units" else _by_bf16_units(x, matrix)


@cache
def bf16_kernel() -> Kernel:
    """Returns the name of the kernel for products in bf16 on this machine, after a trial of milliseconds."""
    torch_state = torch.get_rng_state()
    x, matrix = torch.randn(_TRIAL_ROWS, _TRIAL_COLUMNS), torch.randn(_TRIAL_COLUMNS, _TRIAL_COLUMNS).bfloat16()
    torch.set_rng_state(torch_state)
    if _seconds(_by_float32_units, x, matrix) < _CLEARLY_FASTER * _seconds(_by_bf16_units, x, matrix):
        return "float32 units"
    flags = _processor_flags()
    if "amx_bf16" in flags:
        return "AMX"
    return "AVX512-BF16" if "avx512_bf16" in flags else "bf16 of the processor"


def _by_bf16_units(x: Tensor, matrix: Tensor) -> Tensor:
    return torch.mm(x.bfloat16(), matrix.bfloat16())


def _by_float32_units(x: Tensor, matrix: Tensor) -> Tensor:
    return torch.mm(x.bfloat16().float(), matrix.bfloat16().float()).bfloat16()


def _seconds(multiply: Callable[[Tensor, Tensor], Tensor], x: Tensor, matrix: Tensor) -> float:
    """The processor seconds of the fastest of a few products, after one that is not timed."""
    multiply(x, matrix)
    times = []
    for _ in range(_TRIAL_REPEATS):
        start = time.process_time()
        multiply(x, matrix)
        times.append(time.process_time() - start)
    return min(times)


def _processor_flags() -> set[str]:
    """The features of the processor as Linux lists them; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
