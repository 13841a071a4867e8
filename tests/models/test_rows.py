"""Rows of tokens: what each token attends to, and how texts share a beginning."""

from donorgrid.models.rows import common_prefix_length, packed_row, pad_rows, prefix_tree_row


def test_texts_in_one_row_do_not_see_each_other() -> None:
    row = packed_row([(7, 8, 9), (5, 6)])
    assert row.input_ids.tolist() == [7, 8, 9, 5, 6]
    assert row.position_ids.tolist() == [0, 1, 2, 0, 1]
    assert row.attended_until.tolist() == [3, 3, 3, 5, 5]


def test_a_common_beginning_is_read_once_and_attended_to_by_all() -> None:
    row, paths = prefix_tree_row([(1, 2, 3), (1, 2, 4, 5), (1, 9)])
    assert row.input_ids.tolist() == [1, 2, 3, 4, 5, 9]
    assert row.position_ids.tolist() == [0, 1, 2, 2, 3, 1]
    assert row.attended_until.tolist() == [6, 5, 3, 5, 5, 6]
    assert paths == [[0, 1, 2], [0, 1, 3, 4], [0, 5]]


def test_a_common_beginning_is_as_long_as_the_shorter_sequence_at_most() -> None:
    assert common_prefix_length((1, 2), (1, 2, 3)) == 2
    assert common_prefix_length((1, 2, 3), (1, 2)) == 2
    assert common_prefix_length((1, 2, 3), (1, 5, 3)) == 1
    assert common_prefix_length((), (1,)) == 0


def test_padding_attends_to_itself_alone_and_nothing_attends_to_it() -> None:
    batch = pad_rows([packed_row([(7, 8, 9)]), packed_row([(5,)])], length=4)
    assert batch.input_ids.tolist() == [[7, 8, 9, 0], [5, 0, 0, 0]]
    assert batch.attended_until.tolist() == [[3, 3, 3, 4], [1, 2, 3, 4]]
    assert batch.lengths.tolist() == [3, 1]
