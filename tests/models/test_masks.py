"""The additive mask: causal, within a text, and within the window."""

import torch

from donorgrid.models.masks import additive_mask
from donorgrid.models.rows import packed_row, pad_rows


def seen(window: int | None) -> list[list[int]]:
    batch = pad_rows([packed_row([(1, 2, 3, 4), (5, 6)])])
    mask = additive_mask(batch, torch.float32, window=window)
    assert mask.shape == (1, 1, 6, 6)
    return (mask[0, 0] == 0).int().tolist()


def test_tokens_see_what_stands_before_them_in_their_own_text() -> None:
    assert seen(None) == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]


def test_a_window_of_two_is_the_token_and_the_last_one_before_it() -> None:
    assert seen(2) == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]
