"""Copies the heads of one row between the flat tokens of a batch and small matrices, one token per matrix row.

A row consists of the first ``prefix_length`` tokens of the batch (the shared prefix) and its own tokens, which begin
at the flat token ``start``. ``length`` counts both. ``column`` is the first column of the head among the flat tokens.
"""

import numpy as np

from donorgrid.models.fast_cpu.compiled import Floats, Ints, inlined


@inlined
def gather_head(
    matrix: Floats, tokens: Floats, start: int, prefix_length: int, length: int, column: int, head_dim: int,
    scaling: float,
) -> None:  # fmt: skip
    """Copies a head into a matrix with one row per token.

    Parameters
    ----------
    matrix
        Receives the head, ``(length or more, head_dim or more)``.
    tokens
        The flat tokens, ``(n_tokens, width)``.
    start, prefix_length, length, column
        The row and the head, as above.
    head_dim
        The number of columns of the head.
    scaling
        The factor of every number.
    """
    factor = np.float32(scaling)
    for token in range(length):
        flat_token = token if token < prefix_length else start + token - prefix_length
        source, target = tokens[flat_token, column : column + head_dim], matrix[token]
        for index in range(head_dim):
            target[index] = source[index] * factor


@inlined
def gather_head_transposed(
    matrix: Floats, tokens: Floats, start: int, prefix_length: int, length: int, column: int
) -> None:
    """Copies a head into a matrix with one column per token.

    Parameters
    ----------
    matrix
        Receives the head, ``(head_dim, length or more)``.
    tokens
        The flat tokens, ``(n_tokens, width)``.
    start, prefix_length, length, column
        The row and the head, as above.
    """
    for token in range(length):
        flat_token = token if token < prefix_length else start + token - prefix_length
        source = tokens[flat_token, column : column + matrix.shape[0]]
        for index in range(len(source)):
            matrix[index, token] = source[index]


@inlined
def scatter_head(
    tokens: Floats, matrix: Floats, start: int, prefix_length: int, length: int, column: int, head_dim: int
) -> None:
    """Copies a head back into the flat tokens, without those of the shared prefix.

    Parameters
    ----------
    tokens
        Receive the head, ``(n_tokens, width)``.
    matrix
        The head, ``(length or more, head_dim or more)``.
    start, prefix_length, length, column, head_dim
        As in ``gather_head``.
    """
    for token in range(prefix_length, length):
        target, source = tokens[start + token - prefix_length, column : column + head_dim], matrix[token]
        for index in range(head_dim):
            target[index] = source[index]


@inlined
def clear(matrix: Floats) -> None:
    """Sets every number to 0."""
    matrix[:] = 0.0


@inlined
def add_rows(total: Floats, matrix: Floats, n_rows: int) -> None:
    """Adds the first rows of one matrix to those of another of the same width.

    Parameters
    ----------
    total
        Receives the sum.
    matrix
        What is added.
    n_rows
        The number of rows.
    """
    total_numbers, numbers = total.reshape(-1), matrix.reshape(-1)
    for index in range(n_rows * total.shape[1]):
        total_numbers[index] += numbers[index]


@inlined
def longest_row(row_starts: Ints, prefix_lengths: Ints) -> int:
    """Returns the length of the longest row.

    Parameters
    ----------
    row_starts, prefix_lengths
        As in ``UnpaddedRows``.

    Returns
    -------
    The number of tokens, those of the shared prefix included
    """
    longest = 0
    for row in range(len(row_starts) - 1):
        longest = max(longest, prefix_lengths[row] + row_starts[row + 1] - row_starts[row])
    return longest
