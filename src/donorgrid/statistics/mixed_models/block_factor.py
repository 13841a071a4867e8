"""The factored matrix of the mixed-model equations: a diagonal block by hand, the rest by Cholesky."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from donorgrid.core.arrays import Reals


@dataclass(frozen=True, kw_only=True)
class BlockFactor:
    """A symmetric matrix M = [[H, C], [C', R]] with diagonal H, factored.

    Attributes
    ----------
    head : ndarray
        The diagonal of H, shape ``(h,)``.
    side : ndarray
        H^-1 C, shape ``(h, q - h)``.
    lower : ndarray
        Lower Cholesky factor of the Schur complement R - C'H^-1 C, shape ``(q - h, q - h)``.
    """

    head: Reals
    side: Reals
    lower: Reals

    @property
    def log_det(self) -> float:
        """log|M|."""
        return float(np.log(self.head).sum()) + 2.0 * float(np.log(np.diagonal(self.lower)).sum())

    def solve(self, right: Reals) -> Reals:
        """M^-1 times ``right``, shape ``(q, k)``."""
        n_head = len(self.head)
        first = right[:n_head]
        rest = right[n_head:]
        if len(self.lower):
            rest = dpotrs(self.lower, rest - self.side.T @ first, lower=1)[0]
        return np.concatenate([first / self.head[:, None] - self.side @ rest, rest])

    def inverse(self) -> Reals:
        """M^-1, shape ``(q, q)``."""
        n_head, size = len(self.head), sum(self.side.shape)
        inverse = np.empty((size, size))
        corner = dpotri(self.lower, lower=1)[0] if len(self.lower) else self.lower
        corner = corner + corner.T
        corner.flat[:: len(corner) + 1] /= 2.0
        off_diagonal = self.side @ corner
        inverse[n_head:, n_head:] = corner
        inverse[:n_head, n_head:] = -off_diagonal
        inverse[n_head:, :n_head] = -off_diagonal.T
        inverse[:n_head, :n_head] = off_diagonal @ self.side.T
        inverse.flat[: n_head * size : size + 1] += 1.0 / self.head
        return inverse


def factor_blocks(matrix: Reals, *, n_head: int) -> BlockFactor | None:
    """Factors a symmetric matrix whose first block is diagonal.

    Parameters
    ----------
    matrix : ndarray
        M, shape ``(q, q)``.
    n_head : int
        Size of the diagonal block (h).

    Returns
    -------
    BlockFactor or None
        None if M is not positive definite to working precision.
    """
    head, corner = np.diagonal(matrix)[:n_head].copy(), matrix[:n_head, n_head:]
    side = corner / head[:, None]
    lower, failed = dpotrf(matrix[n_head:, n_head:] - corner.T @ side, lower=1)
    return None if failed else BlockFactor(head=head, side=side, lower=lower)
