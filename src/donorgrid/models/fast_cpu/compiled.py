"""How functions between the products are compiled: to machine code at their first use, kept on disk from then on."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
_Function = TypeVar("_Function", bound=Callable[..., object])
# Sums may be reordered, as in every product; what is not a number must stay one, so that a failed adapter is noticed.
_FAST = {"contract", "reassoc", "nsz", "arcp", "afn"}


def compiled(function: _Function) -> _Function:
    """Compile a function of contiguous arrays and numbers with numba; it runs without Python's lock."""
    make = partial(njit, nogil=True, fastmath=_FAST, error_model="numpy")
    try:
        made: _Function = make(cache=True)(function)
    except RuntimeError:  # numba finds no folder that it may write to (NUMBA_CACHE_DIR names one)
        made = make()(function)
    return made


def part_of_compiled(function: _Function) -> _Function:
    """The same for what compiled functions call: it becomes part of each of them.

    As a function of its own it would be compiled anew with every caller, a little differently, and which one runs would
    depend on whether the process has compiled or loaded them: the last bits would not repeat.
    """
    made: _Function = njit(nogil=True, fastmath=_FAST, error_model="numpy", forceinline=True)(function)
    return made


@part_of_compiled
def exponential(x: np.float32) -> np.float32:
    """e to the x within 3e-7 of it; 0 below -80, and above 80 that of 80.

    There is no branch, so that it is vectorised, and no number too small to be computed with at full speed. The
    polynomial is that of Cephes' ``expf`` (Moshier 1992).
    """
    least, most = np.float32(-80.0), np.float32(80.0)
    bounded = least if x < least else x
    bounded = most if bounded > most else bounded
    power = np.floor(bounded * np.float32(1.44269504) + np.float32(0.5))
    rest = (bounded - power * np.float32(0.693359375)) + power * np.float32(2.12194440e-4)
    sum_ = np.float32(1.9875691500e-4)
    sum_ = sum_ * rest + np.float32(1.3981999507e-3)
    sum_ = sum_ * rest + np.float32(8.3334519073e-3)
    sum_ = sum_ * rest + np.float32(4.1665795894e-2)
    sum_ = sum_ * rest + np.float32(1.6666665459e-1)
    sum_ = sum_ * rest + np.float32(5.0000001201e-1)
    two_to_power = np.int32((np.int32(power) + 127) << 23).view(np.float32)
    found = (sum_ * rest * rest + rest + np.float32(1.0)) * two_to_power
    return np.float32(0.0) if x < least else found
