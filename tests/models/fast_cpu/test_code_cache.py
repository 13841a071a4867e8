"""Machine code on disk: never loaded after a change in what it was compiled from, and loaded if nothing changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types
from numba.core.caching import CacheImpl
from numba.extending import intrinsic

import donorgrid
from donorgrid.models.fast_cpu import activations, small_products
from donorgrid.models.fast_cpu.code_cache import code_digest
from donorgrid.models.fast_cpu.compiled import compiled, inlined, inlined_in_order
from donorgrid.models.fast_cpu.short_attention import attention_forward

Decorator = Callable[[Callable[..., float]], Callable[..., float]]
_PROGRAM = """
import numpy as np
from donorgrid.models.fast_cpu import activations, short_attention
ints = lambda *numbers: np.array(numbers, dtype=np.int32)
qkv = np.sin(np.arange(6 * 48, dtype=np.float32)).reshape(6, 48)
output, weights = np.zeros((6, 16), np.float32), np.zeros(0, np.float32)
short_attention.attention_forward(
    qkv, ints(0, 6), ints(0), ints(0), ints(*[6] * 6), ints(*range(6)), 99, 2, 2, 0.3, output, weights
)
sums = np.zeros(1, np.float32)
activations._sum_exponentials(output[:1], np.zeros(1, np.float32), sums)
stats = [short_attention.attention_forward.stats, activations._sum_exponentials.stats]
print(output.tobytes().hex() + sums.tobytes().hex(), *(sum(one.cache_hits.values()) for one in stats))
"""
_LOADED = ["1", "1"]


class PackageCopy:
    """A copy of the package whose compiled functions keep their machine code in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / "donorgrid"
        self._cache = folder / "cache"
        shutil.copytree(Path(donorgrid.__file__).parent, self.package, ignore=shutil.ignore_patterns("__pycache__"))

    def run(self) -> tuple[str, list[str]]:
        """The bits of a result, and how many versions of each of the two functions were loaded from disk."""
        environment = {
            **os.environ, "PYTHONPATH": str(self.package.parent), "NUMBA_CACHE_DIR": str(self._cache),
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "random",
        }  # fmt: skip
        program = [sys.executable, "-c", _PROGRAM]
        completed = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
        bits, *loaded = completed.stdout.split()
        return bits, loaded

    def edit(self, file: str, old: str, new: str) -> None:
        """Edits a file in place, which keeps its size and date."""
        path = self.package / "models" / "fast_cpu" / file
        text, status = path.read_text(encoding="utf-8"), path.stat()
        assert old in text
        assert len(old) == len(new)
        path.write_text(text.replace(old, new), encoding="utf-8")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> tuple[PackageCopy, str]:
    """A copy whose machine code is on disk, and its result."""
    copy = PackageCopy(tmp_path_factory.mktemp("warm"))
    bits, loaded = copy.run()
    assert loaded == ["0", "0"]
    return copy, bits


def test_unchanged_copy_is_loaded_and_not_compiled_again(warm: tuple[PackageCopy, str]) -> None:
    copy, bits = warm
    assert copy.run() == (bits, _LOADED)


def test_change_of_a_called_function_in_another_file_is_compiled(warm: tuple[PackageCopy, str]) -> None:
    """Only the functions that call it are compiled again."""
    copy, bits = warm
    copy.edit("small_products.py", "+ a3 * r3", "- a3 * r3")
    changed, loaded = copy.run()
    assert changed != bits
    assert loaded == ["0", "1"]


def caller(*, factor: float = 2.0, default: float = 1.0, decorate: Decorator = inlined, deeper: float = 3.0) -> Any:
    """A compiled function that calls another one, which calls another one."""

    @inlined
    def deepest(x: float) -> float:
        return x + deeper

    @decorate
    def called(x: float, y: float = default) -> float:
        return deepest(x) * factor + y

    @compiled
    def calling(x: float) -> float:
        return called(x)

    return calling


def test_digest_is_the_same_for_the_same_code() -> None:
    assert code_digest(caller()) == code_digest(caller())


@pytest.mark.parametrize(
    "change",
    [{"factor": 2.5}, {"default": 1.5}, {"decorate": inlined_in_order}, {"deeper": 4.0}, {"factor": np.float32(2.0)}],
    ids=["constant", "default", "compiler options", "constant further down", "type of a constant"],
)
def test_digest_changes_with_everything_that_is_compiled_in(change: dict[str, Any]) -> None:
    assert code_digest(caller(**change)) != code_digest(caller())


def test_digest_changes_with_a_global_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest(attention_forward), code_digest(activations._sum_exponentials)
    monkeypatch.setattr(small_products, "_COLUMNS", 32)
    assert code_digest(attention_forward) != before[0]
    assert code_digest(activations._sum_exponentials) == before[1]


def test_digest_changes_with_the_code_of_an_intrinsic() -> None:
    def calling(offset: int) -> Any:
        @intrinsic
        def zero(context: Any) -> Any:
            return types.intp(), lambda context, *_: context.get_constant(types.intp, offset)

        return compiled(lambda: zero())

    assert code_digest(calling(1)) == code_digest(calling(1)) != code_digest(calling(2))


@pytest.mark.parametrize("value", [[1.0], np.ones(2), small_products], ids=["list", "array", "module of the package"])
def test_value_that_has_no_digest_is_one_line(value: Any) -> None:
    with pytest.raises(TypeError, match="a compiled function reads 'factor'"):
        code_digest(caller(factor=value))


def test_without_a_writable_folder_every_process_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert caller()(1.0) == 9.0
