import numpy as np
import pytest

from donorgrid.statistics.mixed_models.block_factor import factor_blocks


def blocked(n_head, size, seed=0):
    """A positive definite matrix whose first block is diagonal."""
    rng = np.random.default_rng(seed)
    matrix = np.eye(size) * size
    matrix[n_head:, n_head:] += np.cov(rng.normal(size=(size - n_head, 20))) if size > n_head else 0.0
    matrix[:n_head, n_head:] = rng.normal(size=(n_head, size - n_head))
    matrix[n_head:, :n_head] = matrix[:n_head, n_head:].T
    return matrix


@pytest.mark.parametrize(("n_head", "size"), [(3, 5), (4, 6), (3, 3)], ids=["3 of 5", "4 of 6", "all diagonal"])
def test_it_solves_and_inverts_as_the_dense_matrix(n_head, size):
    matrix = blocked(n_head, size)
    factor = factor_blocks(matrix, n_head=n_head)
    right = np.arange(2.0 * size).reshape(size, 2)
    np.testing.assert_allclose(factor.solve(right), np.linalg.solve(matrix, right), rtol=1e-10)
    np.testing.assert_allclose(factor.inverse(), np.linalg.inv(matrix), rtol=1e-10, atol=1e-14)
    assert factor.log_det == pytest.approx(np.linalg.slogdet(matrix)[1])


def test_by_hand():
    """[[4, 2], [2, 3]]: determinant 8, inverse [[3, -2], [-2, 4]] / 8."""
    factor = factor_blocks(np.array([[4.0, 2.0], [2.0, 3.0]]), n_head=1)
    assert factor.log_det == pytest.approx(np.log(8))
    np.testing.assert_allclose(factor.inverse(), np.array([[3, -2], [-2, 4]]) / 8)


def test_a_matrix_that_is_not_positive_definite_has_no_factor():
    assert factor_blocks(np.array([[1.0, 2.0], [2.0, 1.0]]), n_head=1) is None
