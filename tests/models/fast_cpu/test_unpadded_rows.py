"""Rows without padding: which tokens are kept, where they go, and what attention reads about them."""

import torch

from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.rows import packed_row, pad_rows


def rows_of(*texts: tuple[int, ...]) -> UnpaddedRows:
    return UnpaddedRows(pad_rows([packed_row([text]) for text in texts]))


def test_padding_is_removed_and_comes_back() -> None:
    rows = rows_of((5, 6, 7), (8,))
    assert rows.shared_prefix_length == 0
    assert rows.n_tokens == 4
    assert rows.unpad(rows.batch.input_ids).tolist() == [5, 6, 7, 8]
    padded = rows.pad(torch.tensor([[1.0], [2.0], [3.0], [4.0]]))
    assert padded.squeeze(-1).tolist() == [[1.0, 2.0, 3.0], [4.0, 1.0, 1.0]], "padding repeats token 0"


def test_shared_prefix_is_stored_once_as_a_row_of_its_own() -> None:
    rows = rows_of((1, 2, 5, 6), (1, 2, 7))
    assert rows.shared_prefix_length == 2
    assert rows.unpad(rows.batch.input_ids).tolist() == [1, 2, 5, 6, 7]
    assert rows.prefix_lengths.tolist() == [0, 2, 2]
    assert rows.row_starts.tolist() == [0, 2, 4, 5]
    assert rows.weight_starts.tolist() == [0, 3, 3 + 10, 3 + 10 + 6]
    assert rows.position_ids.tolist() == [0, 1, 2, 3, 2]
    assert rows.attended_until.tolist() == [4, 4, 4, 4, 3]
    padded = rows.pad(torch.arange(5.0)[:, None]).squeeze(-1)
    assert padded.tolist() == [[0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 0.0]]


def test_a_token_of_each_row_is_left_after_the_shared_prefix() -> None:
    assert rows_of((1, 2), (1, 2)).shared_prefix_length == 1
    assert rows_of((1, 2)).shared_prefix_length == 0


def test_second_sequence_of_a_row_is_not_in_the_shared_prefix() -> None:
    row = packed_row([(1,), (2, 3)])
    assert UnpaddedRows(pad_rows([row, row])).shared_prefix_length == 0


def test_no_padding_needs_no_indices() -> None:
    rows = rows_of((1, 2), (3, 4))
    assert rows.padded_indices is None
    assert rows.flat_indices is None


def test_first_queries_of_rows() -> None:
    rows = rows_of((1, 2, 5, 6), (1, 2, 7), (1, 2, 8, 9))
    assert rows.first_queries(None).tolist() == [0, 2, 2, 2]
    assert rows.first_queries(torch.tensor([1, 3, 6])).tolist() == [1, 3, 3, 3], "the second row has no query"
