"""Machine code on disk that is loaded only for the very functions that it was compiled from.

numba's own cache looks at the date and size of the file that holds a compiled function. A change in a function that it
calls, in another file, goes unnoticed. Here the key also holds a digest of everything that is compiled in: the bytecode
of the function and of every function of this package that it calls, directly or not, their compiler options, and the
values of the global constants and closures that they read. Bytecode is digested and not source text, as bytecode is
what numba compiles. numba itself compares its version, the argument types and the processor.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.caching import FunctionCache

_PACKAGE = __name__.partition(".")[0]
_CONSTANTS = (bool, int, float, complex, str, bytes, type(None), np.generic, np.dtype)


class DigestedCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function, with the digest as part of every key."""

    def __init__(self, dispatcher: Any) -> None:
        super().__init__(dispatcher.py_func)
        self._dispatcher = dispatcher

    @cached_property
    def _digest(self) -> str:
        # At first use and not at import: a function may call what its module defines further down.
        return code_digest(self._dispatcher)

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), self._digest)


def keep_on_disk(dispatcher: Any) -> None:
    """Lets a compiled function keep its machine code on disk, where a folder is writable."""
    try:
        dispatcher._cache = DigestedCache(dispatcher)
    except RuntimeError:  # how numba says that it finds no writable folder
        return


def code_digest(dispatcher: Any) -> str:
    """Returns the SHA-256 of what numba compiles for a function, as 64 hexadecimal digits.

    Raises TypeError if the function reads a global whose value cannot be digested: an array, a list, or a module of
    this package.
    """
    digest = hashlib.sha256()
    for part in _parts(dispatcher, "", set()):
        digest.update(repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _parts(value: Any, name: str, visited: set[int]) -> Iterator[object]:
    """What ``value`` consists of, down to code and constants; functions that were visited give their name only."""
    yield name
    if isinstance(value, _CONSTANTS):
        yield type(value).__name__, repr(value)
    elif isinstance(value, tuple | frozenset):
        for number, part in enumerate(sorted(value, key=repr) if isinstance(value, frozenset) else value):
            yield from _parts(part, str(number), visited)
    elif hasattr(value, "py_func"):  # what njit returns
        yield sorted((option, _sorted(setting)) for option, setting in value.targetoptions.items())
        yield from _function_parts(value.py_func, visited)
    elif hasattr(value, "_defn"):  # what numba's intrinsic returns
        yield from _function_parts(value._defn, visited)
    elif isinstance(value, FunctionType):
        yield from _function_parts(value, visited)
    elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] != _PACKAGE:
        yield value.__name__, getattr(value, "__version__", "")
    elif isinstance(value, type | BuiltinFunctionType | np.ufunc):
        yield getattr(value, "__module__", ""), value.__name__
    else:
        raise TypeError(
            f"a compiled function reads '{name}', a {type(value).__name__}: allowed are constants and functions"
        )


def _function_parts(function: FunctionType, visited: set[int]) -> Iterator[object]:
    yield function.__module__.rpartition(".")[2], function.__qualname__
    if id(function) in visited:
        return
    visited.add(id(function))
    for code in _codes(function.__code__):
        constants = tuple(constant for constant in code.co_consts if not isinstance(constant, CodeType))
        yield code.co_code, code.co_varnames, code.co_names, code.co_freevars
        yield from _parts(constants, "constants", visited)
        for name in code.co_names:
            if name in function.__globals__:
                yield from _parts(function.__globals__[name], name, visited)
    yield from _parts(function.__defaults__, "defaults", visited)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield from _parts(cell.cell_contents, name, visited)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _sorted(setting: object) -> object:
    return sorted(setting) if isinstance(setting, set | frozenset) else setting
