"""Low-rank adapters as one vector: the order of its numbers, and the blocks of joined modules."""

import pytest
import torch

from donorgrid.models.low_rank import LowRankAdapter, join_factors, split_factors

SHAPES = {
    "q": ((1, 3), (2, 1)),
    "k": ((2, 3), (2, 2)),
    "down": ((1, 2), (3, 1)),
}
N_PARAMETERS = 3 + 6 + 2 + 2 + 4 + 3


def adapter() -> LowRankAdapter:
    values = torch.arange(float(N_PARAMETERS)).requires_grad_()
    return LowRankAdapter(values=values, shapes=SHAPES, scaling=2.0)


def test_vector_holds_all_a_and_then_all_b() -> None:
    factors = split_factors(torch.arange(float(N_PARAMETERS)), SHAPES)
    assert factors["q"][0].tolist() == [[0, 1, 2]]
    assert factors["k"][0].tolist() == [[3, 4, 5], [6, 7, 8]]
    assert factors["down"][0].tolist() == [[9, 10]]
    assert factors["q"][1].tolist() == [[11], [12]]
    assert factors["k"][1].tolist() == [[13, 14], [15, 16]]
    assert factors["down"][1].tolist() == [[17], [18], [19]]
    assert join_factors(factors).tolist() == list(range(N_PARAMETERS))


def test_factors_of_several_adapters_are_views() -> None:
    values = torch.zeros(2, N_PARAMETERS)
    a, b = split_factors(values, SHAPES)["k"]
    assert (a.shape, b.shape) == ((2, 2, 3), (2, 2, 2))
    a[1, 0, 2] = 7.0
    assert values[1, 5] == 7.0


def test_block_stacks_a_and_lists_b() -> None:
    block = adapter().block(("q", "k", "v"))
    assert block.a.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert [b.tolist() for b in block.b] == [[[11], [12]], [[13, 14], [15, 16]]]
    assert (block.ranks, block.module_indices) == ((1, 2), (0, 1))
    assert torch.equal(block.a_transposed, block.a.T)
    assert all(torch.equal(transposed, b.T) for transposed, b in zip(block.b_transposed, block.b, strict=True))


def test_block_of_some_modules_knows_their_indices() -> None:
    block = adapter().block(("v", "k"))
    assert (block.ranks, block.module_indices) == ((2,), (1,))


def test_block_is_a_view_of_the_values() -> None:
    low_rank = adapter()
    block = low_rank.block(("q", "k"))
    with torch.no_grad():
        low_rank.values[4] = 40.0
    assert block.a[1, 1] == 40.0


@pytest.mark.parametrize(
    ("groups", "is_adjacent"),
    [
        ([("q", "k", "v"), ("down",)], True),
        ([("k", "down")], True),
        ([("k", "q")], False),
        ([("q", "down")], False),
        ([("up",)], True),
    ],
)
def test_adjacent_modules(groups: list[tuple[str, ...]], is_adjacent: bool) -> None:
    assert adapter().is_adjacent_in(groups) is is_adjacent


def test_adapted_modules() -> None:
    assert adapter().adapts_any(("v", "k"))
    assert not adapter().adapts_any(("v", "up"))


def test_other_values_keep_shapes_and_scaling() -> None:
    other = adapter().with_values(torch.ones(N_PARAMETERS))
    assert (other.shapes, other.scaling) == (SHAPES, 2.0)
    assert other.block(("q", "k")).a.unique().tolist() == [1.0]
