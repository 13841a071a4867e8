import numpy as np
import pytest

from donorgrid.statistics.mixed_models.block_stacks import BlockStack, cholesky_stack, diagonal


def matrices(n_head, size, n=4):
    """Positive definite matrices whose first block is diagonal, and their factors."""
    rng = np.random.default_rng(size)
    head = rng.uniform(5, 6, size=(n, n_head))
    corner = rng.normal(size=(n, n_head, size - n_head))
    rest = np.eye(size - n_head) * 20 + np.zeros((n, 1, 1))
    dense = np.zeros((n, size, size))
    dense[:, np.arange(n_head), np.arange(n_head)] = head
    dense[:, :n_head, n_head:] = corner
    dense[:, n_head:, :n_head] = corner.swapaxes(1, 2)
    dense[:, n_head:, n_head:] = rest
    side = corner / head[:, :, None]
    upper, failed = cholesky_stack(rest - corner.swapaxes(1, 2) @ side)
    assert not failed.any()
    return dense, BlockStack(head=head, side=side, upper=upper)


SIZES = pytest.mark.parametrize(("n_head", "size"), [(3, 5), (4, 6), (3, 3)], ids=["3 of 5", "4 of 6", "all diagonal"])


@SIZES
def test_it_solves_and_inverts_as_the_dense_matrices(n_head, size):
    dense, stack = matrices(n_head, size)
    right = np.random.default_rng(1).normal(size=(4, size, 2))
    np.testing.assert_allclose(stack.solve(right), np.linalg.solve(dense, right), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(stack.inverse(), np.linalg.inv(dense), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(stack.log_det, np.linalg.slogdet(dense)[1], rtol=1e-12)


@SIZES
def test_one_matrix_serves_many_right_sides(n_head, size):
    dense, stack = matrices(n_head, size)
    right = np.random.default_rng(2).normal(size=(7, size, 1))
    np.testing.assert_allclose(stack[2:3].solve(right), np.linalg.solve(dense[2:3], right), rtol=1e-9, atol=1e-12)


def test_rows_are_taken_by_index_and_mask():
    dense, stack = matrices(3, 5)
    np.testing.assert_allclose(stack[np.array([3, 0])].inverse(), np.linalg.inv(dense[[3, 0]]), atol=1e-12)
    np.testing.assert_allclose(
        stack[np.array([False, True, False, False])].inverse(), np.linalg.inv(dense[1:2]), atol=1e-12
    )


def test_a_matrix_without_a_factor_gets_the_identity():
    upper, failed = cholesky_stack(np.array([[[4.0, 2.0], [2.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]]]))
    assert failed.tolist() == [False, True]
    np.testing.assert_allclose(upper, [[[2.0, 1.0], [0.0, 1.0]], np.eye(2)])


def test_diagonals_can_be_written_to():
    stack = np.zeros((2, 3, 3))
    diagonal(stack)[...] += [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(stack, [np.diag([1.0, 2.0, 3.0])] * 2)
