"""How functions between the matrix products are compiled: at first use, to machine code that is kept on disk."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from donorgrid.models.fast_cpu.code_cache import keep_on_disk

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
_Function = TypeVar("_Function", bound=Callable[..., object])

_compile = partial(njit, nogil=True, error_model="numpy")
# A product and a sum may become one instruction. NaN and infinity keep their meaning, so that a diverged training is
# noticed: "nnan" and "ninf" are left out.
_IN_ORDER = {"contract"}
_REORDERED = {*_IN_ORDER, "reassoc", "nsz", "arcp", "afn"}


def compiled(function: _Function) -> _Function:
    """Compiles a function of contiguous arrays and numbers with numba. It runs without Python's global lock.

    Sums may be reordered. The machine code is kept on disk (``code_cache``); where no folder is writable, every process
    compiles anew (``NUMBA_CACHE_DIR`` names a folder).
    """
    dispatcher: _Function = _compile(fastmath=_REORDERED)(function)
    keep_on_disk(dispatcher)
    return dispatcher


def inlined(function: _Function) -> _Function:
    """Compiles a function that only compiled functions call: it becomes part of each of them.

    As a separate function it would be compiled once with each caller, a little differently each time. Which version
    runs would depend on whether the process compiled it or loaded it, and the last bits would not repeat.
    """
    dispatcher: _Function = _compile(fastmath=_REORDERED, forceinline=True)(function)
    return dispatcher


def inlined_in_order(function: _Function) -> _Function:
    """The same, but sums are taken in the order in which they are written."""
    dispatcher: _Function = _compile(fastmath=_IN_ORDER, forceinline=True)(function)
    return dispatcher


@inlined
def exponential(x: np.float32) -> np.float32:
    """e to the power of x, with a relative error below 3e-7; 0 below -80, and above 80 the value at 80.

    There is no branch, so that loops over it are vectorised, and no denormal number, which would be slow. The
    polynomial is that of Cephes' ``expf`` (Moshier 1992).
    """
    lower, upper = np.float32(-80.0), np.float32(80.0)
    bounded = lower if x < lower else x
    bounded = upper if bounded > upper else bounded
    power = np.floor(bounded * np.float32(1.44269504) + np.float32(0.5))
    rest = (bounded - power * np.float32(0.693359375)) + power * np.float32(2.12194440e-4)
    polynomial = np.float32(1.9875691500e-4)
    polynomial = polynomial * rest + np.float32(1.3981999507e-3)
    polynomial = polynomial * rest + np.float32(8.3334519073e-3)
    polynomial = polynomial * rest + np.float32(4.1665795894e-2)
    polynomial = polynomial * rest + np.float32(1.6666665459e-1)
    polynomial = polynomial * rest + np.float32(5.0000001201e-1)
    two_to_power = np.int32((np.int32(power) + 127) << 23).view(np.float32)
    result = (polynomial * rest * rest + rest + np.float32(1.0)) * two_to_power
    return np.float32(0.0) if x < lower else result
