"""Attention within short rows, compiled: no padding, no copies in memory, and nothing computed above the diagonal.

Each head of a row is copied into small matrices that stay in the processor's first cache; their products are
``small_products``, four rows at a time. Matrices with a row or column per token have room for the longest row, and
their unused part may hold numbers of an earlier head.
"""

import numpy as np

from donorgrid.models.fast_cpu.causal_softmax import causal_softmax, causal_softmax_backward, save_weights
from donorgrid.models.fast_cpu.compiled import Floats, Ints, compiled, inlined
from donorgrid.models.fast_cpu.head_matrices import (
    add_rows,
    clear,
    gather_head,
    gather_head_transposed,
    longest_row,
    scatter_head,
)
from donorgrid.models.fast_cpu.small_products import ROWS, multiply, multiply_transposed, padded_width


@compiled
def attention_forward(
    qkv: Floats, row_starts: Ints, prefix_lengths: Ints, first_queries: Ints, attended_until: Ints, position_ids: Ints,
    window: int, n_query_heads: int, n_kv_heads: int, scaling: float, output: Floats, saved_weights: Floats,
) -> None:  # fmt: skip
    """Computes ``softmax(scaling * Q K^T + mask) V`` for each head of each row.

    Parameters
    ----------
    qkv
        Queries, keys and values of the flat tokens, ``(n_tokens, (n_query_heads + 2 * n_kv_heads) * head_dim)``.
    row_starts, prefix_lengths, first_queries
        As in ``UnpaddedRows``. Output is written for the row's own tokens, not for the shared prefix, and may be left
        out before the row's first query.
    attended_until, position_ids
        One number per flat token. Query q attends to key k of its row if ``k <= q < attended_until[k]`` and their
        positions are less than ``window`` apart. Every token of the row attends to the whole shared prefix.
    window
        The sliding window, in positions; larger than any position if there is none.
    n_query_heads, n_kv_heads, scaling
        As in ``HeadLayout``.
    output
        Receives the result, ``(n_tokens, n_query_heads * head_dim)``.
    saved_weights
        Receives the attention weights on and below the diagonal, row by row and head by head, for
        ``attention_backward``. Empty if there is no backward pass.
    """
    head_dim = qkv.shape[1] // (n_query_heads + 2 * n_kv_heads)
    longest, n_columns = padded_width(longest_row(row_starts, prefix_lengths)), padded_width(head_dim)
    query, key = np.zeros((longest, head_dim), np.float32), np.zeros((head_dim, longest), np.float32)
    value, weighted = np.zeros((longest, n_columns), np.float32), np.zeros((longest, n_columns), np.float32)
    scores, saved_start = np.zeros((longest, longest), np.float32), 0
    row_attended_until, row_position_ids = np.zeros(longest, np.int32), np.zeros(longest, np.int32)
    for row in range(len(row_starts) - 1):
        start, prefix = row_starts[row], prefix_lengths[row]
        length, first = prefix + row_starts[row + 1] - start, first_queries[row] // ROWS * ROWS
        _gather_mask(row_attended_until, row_position_ids, attended_until, position_ids, start, prefix, length)
        for kv_head in range(n_kv_heads):
            gather_head_transposed(key, qkv, start, prefix, length, (n_query_heads + kv_head) * head_dim)
            value_column = (n_query_heads + n_kv_heads + kv_head) * head_dim
            gather_head(value, qkv, start, prefix, length, value_column, head_dim, 1.0)
            n_groups = n_query_heads // n_kv_heads
            for head in range(kv_head * n_groups, (kv_head + 1) * n_groups):
                gather_head(query, qkv, start, prefix, length, head * head_dim, head_dim, scaling)
                for token in range(first, length, ROWS):
                    multiply(scores, query, key, token, 0, head_dim, padded_width(token + ROWS))
                causal_softmax(scores, first, length, row_attended_until, row_position_ids, window)
                for token in range(first, length, ROWS):
                    multiply(weighted, scores, value, token, 0, min(token + ROWS, length), n_columns)
                scatter_head(output, weighted, start, prefix, length, head * head_dim, head_dim)
                if len(saved_weights) > 0:
                    save_weights(saved_weights, saved_start, scores, first, length)
                    saved_start += length * (length + 1) // 2


@compiled
def attention_backward(
    qkv: Floats, row_starts: Ints, prefix_lengths: Ints, first_queries: Ints, n_query_heads: int, n_kv_heads: int,
    scaling: float, grad_output: Floats, saved_weights: Floats, grad_prefixes: Floats,
) -> None:  # fmt: skip
    """Overwrites ``qkv`` with its gradient.

    Parameters
    ----------
    qkv, row_starts, prefix_lengths, first_queries, n_query_heads, n_kv_heads, scaling, saved_weights
        What ``attention_forward`` read and wrote.
    grad_output
        The gradient of its output, ``(n_tokens, n_query_heads * head_dim)``. Before a row's first query it is taken to
        be zero.
    grad_prefixes
        Receives what each row adds to the gradient of the keys and values of the shared prefix,
        ``(n_rows, shared_prefix_length, 2 * n_kv_heads * head_dim)``.
    """
    head_dim = qkv.shape[1] // (n_query_heads + 2 * n_kv_heads)
    longest, n_columns = padded_width(longest_row(row_starts, prefix_lengths)), padded_width(head_dim)
    query, key = np.zeros((longest, n_columns), np.float32), np.zeros((longest, n_columns), np.float32)
    value, grad_weighted = np.zeros((head_dim, longest), np.float32), np.zeros((longest, n_columns), np.float32)
    grad_scores, weights = np.zeros((longest, longest), np.float32), np.zeros((longest, longest), np.float32)
    grad_key, grad_value = np.zeros((longest, n_columns), np.float32), np.zeros((longest, n_columns), np.float32)
    product, saved_start = np.zeros((longest, n_columns), np.float32), 0
    for row in range(len(row_starts) - 1):
        start, prefix = row_starts[row], prefix_lengths[row]
        length, first = prefix + row_starts[row + 1] - start, first_queries[row] // ROWS * ROWS
        for kv_head in range(n_kv_heads):
            key_column = (n_query_heads + kv_head) * head_dim
            value_column = (n_query_heads + n_kv_heads + kv_head) * head_dim
            gather_head(key, qkv, start, prefix, length, key_column, head_dim, 1.0)
            gather_head_transposed(value, qkv, start, prefix, length, value_column)
            clear(grad_key)
            clear(grad_value)
            n_groups = n_query_heads // n_kv_heads
            for head in range(kv_head * n_groups, (kv_head + 1) * n_groups):
                gather_head(query, qkv, start, prefix, length, head * head_dim, head_dim, 1.0)
                gather_head(grad_weighted, grad_output, start, prefix, length, head * head_dim, head_dim, 1.0)
                clear(grad_weighted[:prefix])
                for token in range(first, length, ROWS):
                    multiply(grad_scores, grad_weighted, value, token, 0, head_dim, padded_width(token + ROWS))
                causal_softmax_backward(grad_scores, weights, saved_weights, saved_start, first, length, scaling)
                saved_start += length * (length + 1) // 2
                _gradient_of_query(product, grad_scores, key, first, length)
                scatter_head(qkv, product, start, prefix, length, head * head_dim, head_dim)
                _add_transposed_product(grad_value, product, weights, grad_weighted, first, length)
                _add_transposed_product(grad_key, product, grad_scores, query, first, length)
            scatter_head(qkv, grad_key, start, prefix, length, key_column, head_dim)
            scatter_head(qkv, grad_value, start, prefix, length, value_column, head_dim)
            scatter_head(grad_prefixes[row], grad_key, 0, 0, prefix, kv_head * head_dim, head_dim)
            scatter_head(grad_prefixes[row], grad_value, 0, 0, prefix, (n_kv_heads + kv_head) * head_dim, head_dim)


@inlined
def _gather_mask(
    row_attended_until: Ints, row_position_ids: Ints, attended_until: Ints, position_ids: Ints, start: int,
    prefix_length: int, length: int,
) -> None:  # fmt: skip
    """Collects the mask of one row: the whole row attends to the shared prefix."""
    for token in range(prefix_length):
        row_attended_until[token], row_position_ids[token] = length, token
    for token in range(prefix_length, length):
        row_attended_until[token] = attended_until[start + token - prefix_length]
        row_position_ids[token] = position_ids[start + token - prefix_length]


@inlined
def _gradient_of_query(grad_query: Floats, grad_scores: Floats, key: Floats, first: int, length: int) -> None:
    for token in range(0, first, ROWS):
        grad_query[token : token + ROWS] = 0.0
    for token in range(first, length, ROWS):
        multiply(grad_query, grad_scores, key, token, 0, min(token + ROWS, length), key.shape[1])


@inlined
def _add_transposed_product(
    total: Floats, product: Floats, left: Floats, right: Floats, first: int, length: int
) -> None:
    """Adds ``left[first:length].T @ right[first:length]``; ``left`` is 0 above the diagonal."""
    for token in range(0, length, ROWS):
        multiply_transposed(product, left, right, token, max(token, first), length, right.shape[1])
    add_rows(total, product, length)
