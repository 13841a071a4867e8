"""Parts of a batch on several threads: compiled functions run without Python's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import torch

# Fewer numbers than that are handled before another thread has woken up.
_WORTH_A_THREAD = 2**19


def run_in_threads(run: Callable[[int, int], object], n: int, *, n_numbers: int) -> None:
    """Call ``run(start, stop)`` on ranges that make up ``range(n)``, on as many of torch's threads as pay.

    ``n_numbers`` says how much it is in all, in numbers read and written. The parts must not depend on each other.
    """
    n_parts = min(torch.get_num_threads(), n, n_numbers // _WORTH_A_THREAD)
    if n_parts < 2:
        run(0, n)
        return
    (first, *others) = pairwise(n * part // n_parts for part in range(n_parts + 1))
    running = [_threads().submit(run, *one) for one in others]
    run(*first)
    for one in running:
        one.result()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="parts")
