"""Runs compiled functions on parts of a batch in several threads: they do not hold Python's global lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import torch

# Below this many numbers, the work is done before a second thread has woken up.
_NUMBERS_PER_THREAD = 2**19


def run_in_threads(run: Callable[[int, int], object], n: int, *, n_numbers: int) -> None:
    """Calls ``run(start, stop)`` on ranges that cover ``range(n)``, in at most as many threads as torch uses.

    Parameters
    ----------
    run
        The work on ``range(start, stop)``. It must not depend on the other ranges. Its exceptions are raised here.
    n
        The number of rows or tokens.
    n_numbers
        How many numbers the whole work reads and writes. It decides how many threads pay off.
    """
    n_ranges = min(torch.get_num_threads(), n, n_numbers // _NUMBERS_PER_THREAD)
    if n_ranges < 2:
        run(0, n)
        return
    (first_range, *further_ranges) = pairwise(n * index // n_ranges for index in range(n_ranges + 1))
    futures = [_thread_pool().submit(run, *further_range) for further_range in further_ranges]
    run(*first_range)
    for future in futures:
        future.result()


@cache
def _thread_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="fast-cpu")
