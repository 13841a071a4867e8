"""The products of ``models.fast_cpu.small_products`` in LLVM's own language, to compare the plain loops with.

Four rows by 32 columns are computed at once, and their sums stay in registers. It needs llvmlite, a part of numba.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from donorgrid.models.fast_cpu.compiled import Floats, inlined

# The rows of a tile, and the widths of its columns. Matrices are as wide as multiples of the smaller width.
ROWS = 4
_WIDE, _NARROW = 32, 16


@inlined
def multiply(into: Floats, left: Floats, right: Floats, row: int, first: int, last: int, width: int) -> None:
    """Computes ``into[row : row + 4, :width] = left[row : row + 4, first:last] @ right[first:last, :width]``."""
    n, step = last - first, left.shape[1]
    for column in range(0, width - _WIDE + 1, _WIDE):
        _wide_tile(into, left, right, (row, column, row * step + first, step, 1, first, n))
    if width % _WIDE:
        _narrow_tile(into, left, right, (row, width - _NARROW, row * step + first, step, 1, first, n))


@inlined
def multiply_transposed(into: Floats, left: Floats, right: Floats, row: int, first: int, last: int, width: int) -> None:
    """Computes the same with ``left.T`` for ``left``."""
    n, step = last - first, left.shape[1]
    for column in range(0, width - _WIDE + 1, _WIDE):
        _wide_tile(into, left, right, (row, column, first * step + row, 1, step, first, n))
    if width % _WIDE:
        _narrow_tile(into, left, right, (row, width - _NARROW, first * step + row, 1, step, first, n))


def _tile(width: int) -> Callable[..., None]:
    """A function of ``into, left, right, (row, column, start, row_step, inner_step, first, n)``.

    It writes ``width`` columns of four rows of ``into``: row r is the sum over i < n of
    ``left.flat[start + r * row_step + i * inner_step]`` times the columns of ``right[first + i]``.
    """
    vector = ir.VectorType(ir.FloatType(), width)
    undefined = ir.Constant(vector, ir.Undefined)
    to_all = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *matrices, bounds = arguments
        into, left, right = (
            context.make_array(kind)(context, builder, matrix)
            for kind, matrix in zip(signature.args[:3], matrices, strict=True)
        )
        row, column, start, row_step, inner_step, first, n = cgutils.unpack_tuple(builder, bounds)

        def pointer(array: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(array.data, [at]), vector.as_pointer())

        def index(array: Any, of_row: Any) -> Any:
            n_columns = cgutils.unpack_tuple(builder, array.shape, 2)[1]
            return builder.add(builder.mul(of_row, n_columns), column)

        numbers = [context.get_constant(types.intp, number) for number in range(ROWS)]
        sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * width)) for _ in numbers]
        with cgutils.for_range(builder, n) as loop:
            right_columns = builder.load(pointer(right, index(right, builder.add(first, loop.index))), align=4)
            inner = builder.add(start, builder.mul(loop.index, inner_step))
            for number, sum_ in zip(numbers, sums, strict=True):
                number_of_left = builder.load(
                    builder.gep(left.data, [builder.add(inner, builder.mul(row_step, number))])
                )
                repeated = builder.shuffle_vector(
                    builder.insert_element(undefined, number_of_left, ir.IntType(32)(0)), undefined, to_all
                )
                product = builder.fmul(repeated, right_columns, flags=("contract",))
                builder.store(builder.fadd(builder.load(sum_), product, flags=("contract",)), sum_)
        for number, sum_ in zip(numbers, sums, strict=True):
            builder.store(builder.load(sum_), pointer(into, index(into, builder.add(row, number))), align=4)
        return context.get_dummy_value()

    def tile(_: Any, into: Any, left: Any, right: Any, bounds: Any) -> Any:
        return types.void(into, left, right, bounds), write

    return intrinsic(tile)


_wide_tile = _tile(_WIDE)
_narrow_tile = _tile(_NARROW)
