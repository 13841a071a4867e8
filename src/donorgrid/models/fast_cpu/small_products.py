"""Products of small matrices, four rows at a time, in plain loops that the compiler turns into vector instructions.

The innermost loops run over adjacent columns, so that LLVM vectorises them. Each number of ``right`` that such a loop
loads serves four rows, and each number of ``into`` takes four inner steps at once; otherwise loads and stores would be
the limit.
Every sum is taken in the order of the inner index, whatever the width of the processor's vectors.

The two functions differ in how they read ``left``. A shared function for their loops, or tuples of rows, would be
slower: docs/decisions/010 says what was measured.
"""

from donorgrid.models.fast_cpu.compiled import Floats, inlined, inlined_in_order

ROWS = 4
"""How many rows a product computes at once: matrices have room for a multiple of it."""
_COLUMNS = 16


@inlined
def padded_width(n: int) -> int:
    """The number of columns that a matrix of ``n`` columns has room for: the next multiple of 16."""
    return (n + _COLUMNS - 1) // _COLUMNS * _COLUMNS


@inlined_in_order
def multiply(into: Floats, left: Floats, right: Floats, row: int, first: int, last: int, width: int) -> None:
    """Computes ``into[row : row + 4, :width] = left[row : row + 4, first:last] @ right[first:last, :width]``.

    Parameters
    ----------
    into, left, right
        Contiguous matrices (float32). ``into`` must not overlap the others.
    row
        The first of the four rows.
    first, last
        The range of the inner index: columns of ``left``, rows of ``right``.
    width
        The number of columns.
    """
    into_0 = into[row]
    into_1 = into[row + 1]
    into_2 = into[row + 2]
    into_3 = into[row + 3]
    left_0 = left[row]
    left_1 = left[row + 1]
    left_2 = left[row + 2]
    left_3 = left[row + 3]
    into[row : row + ROWS, :width] = 0.0
    blocks_end = first + (last - first) // 4 * 4
    for inner in range(first, blocks_end, 4):
        right_0 = right[inner]
        right_1 = right[inner + 1]
        right_2 = right[inner + 2]
        right_3 = right[inner + 3]
        a0, a1, a2, a3 = left_0[inner], left_0[inner + 1], left_0[inner + 2], left_0[inner + 3]
        b0, b1, b2, b3 = left_1[inner], left_1[inner + 1], left_1[inner + 2], left_1[inner + 3]
        c0, c1, c2, c3 = left_2[inner], left_2[inner + 1], left_2[inner + 2], left_2[inner + 3]
        d0, d1, d2, d3 = left_3[inner], left_3[inner + 1], left_3[inner + 2], left_3[inner + 3]
        for column in range(width):
            r0, r1, r2, r3 = right_0[column], right_1[column], right_2[column], right_3[column]
            into_0[column] = into_0[column] + a0 * r0 + a1 * r1 + a2 * r2 + a3 * r3
            into_1[column] = into_1[column] + b0 * r0 + b1 * r1 + b2 * r2 + b3 * r3
            into_2[column] = into_2[column] + c0 * r0 + c1 * r1 + c2 * r2 + c3 * r3
            into_3[column] = into_3[column] + d0 * r0 + d1 * r1 + d2 * r2 + d3 * r3
    for inner in range(blocks_end, last):
        right_0 = right[inner]
        a0 = left_0[inner]
        b0 = left_1[inner]
        c0 = left_2[inner]
        d0 = left_3[inner]
        for column in range(width):
            r0 = right_0[column]
            into_0[column] += a0 * r0
            into_1[column] += b0 * r0
            into_2[column] += c0 * r0
            into_3[column] += d0 * r0


@inlined_in_order
def multiply_transposed(into: Floats, left: Floats, right: Floats, row: int, first: int, last: int, width: int) -> None:
    """Computes ``into[row : row + 4, :width] = left.T[row : row + 4, first:last] @ right[first:last, :width]``.

    Parameters
    ----------
    into, left, right, row, first, last, width
        As in ``multiply``, except that ``first`` and ``last`` are rows of ``left`` too.
    """
    into_0 = into[row]
    into_1 = into[row + 1]
    into_2 = into[row + 2]
    into_3 = into[row + 3]
    into[row : row + ROWS, :width] = 0.0
    blocks_end = first + (last - first) // 4 * 4
    for inner in range(first, blocks_end, 4):
        right_0 = right[inner]
        right_1 = right[inner + 1]
        right_2 = right[inner + 2]
        right_3 = right[inner + 3]
        left_0 = left[inner]
        left_1 = left[inner + 1]
        left_2 = left[inner + 2]
        left_3 = left[inner + 3]
        a0, a1, a2, a3 = left_0[row], left_1[row], left_2[row], left_3[row]
        b0, b1, b2, b3 = left_0[row + 1], left_1[row + 1], left_2[row + 1], left_3[row + 1]
        c0, c1, c2, c3 = left_0[row + 2], left_1[row + 2], left_2[row + 2], left_3[row + 2]
        d0, d1, d2, d3 = left_0[row + 3], left_1[row + 3], left_2[row + 3], left_3[row + 3]
        for column in range(width):
            r0, r1, r2, r3 = right_0[column], right_1[column], right_2[column], right_3[column]
            into_0[column] = into_0[column] + a0 * r0 + a1 * r1 + a2 * r2 + a3 * r3
            into_1[column] = into_1[column] + b0 * r0 + b1 * r1 + b2 * r2 + b3 * r3
            into_2[column] = into_2[column] + c0 * r0 + c1 * r1 + c2 * r2 + c3 * r3
            into_3[column] = into_3[column] + d0 * r0 + d1 * r1 + d2 * r2 + d3 * r3
    for inner in range(blocks_end, last):
        right_0 = right[inner]
        left_0 = left[inner]
        a0, b0, c0, d0 = left_0[row], left_0[row + 1], left_0[row + 2], left_0[row + 3]
        for column in range(width):
            r0 = right_0[column]
            into_0[column] += a0 * r0
            into_1[column] += b0 * r0
            into_2[column] += c0 * r0
            into_3[column] += d0 * r0
