"""Many factored matrices at once: what ``block_factor`` computes, stacked along a leading axis (b,).

Only LAPACK's factors are computed in a loop, matrix by matrix.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from donorgrid.core.arrays import Reals

Rows = npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice


@dataclass(frozen=True)
class Stack:
    """Arrays, or stacks of arrays, with one leading axis (b,)."""

    def __getitem__(self, rows: Rows) -> Self:
        """The stack of these rows."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, kw_only=True)
class BlockStack(Stack):
    """Symmetric matrices M = [[H, C], [C', R]] with diagonal H, factored; see ``block_factor.BlockFactor``.

    Attributes
    ----------
    head : ndarray
        The diagonals of H, shape ``(b, h)``.
    side : ndarray
        H^-1 C, shape ``(b, h, q - h)``.
    upper : ndarray
        Upper Cholesky factors of the Schur complements, shape ``(b, q - h, q - h)``.
    """

    head: Reals
    side: Reals
    upper: Reals

    @property
    def log_det(self) -> Reals:
        """log|M|, shape ``(b,)``."""
        return np.asarray(np.log(self.head).sum(axis=1) + 2.0 * np.log(diagonal(self.upper)).sum(axis=1))

    def solve(self, right: Reals) -> Reals:
        """M^-1 times ``right``, shape ``(b, q, k)``. A stack of one matrix serves every row of ``right``."""
        n_head = self.head.shape[1]
        first = right[:, :n_head]
        rest = right[:, n_head:] - self.side.mT @ first
        if rest.shape[1] and len(self.upper) == 1:
            columns = rest.transpose(1, 0, 2).reshape(rest.shape[1], -1)
            solved = dpotrs(self.upper[0].T, columns, lower=1)[0]
            rest = solved.reshape(rest.shape[1], len(right), -1).transpose(1, 0, 2)
        elif rest.shape[1]:
            pairs = zip(self.upper, rest, strict=True)
            rest = np.stack([dpotrs(upper.T, column, lower=1)[0] for upper, column in pairs])
        return np.concatenate([first / self.head[:, :, None] - self.side @ rest, rest], axis=1)

    def inverse(self) -> Reals:
        """M^-1, shape ``(b, q, q)``."""
        n_head, size = self.head.shape[1], sum(self.side.shape[1:])
        inverse = np.empty((len(self.side), size, size))
        corner = _inverse_of_factored(self.upper)
        off_diagonal = self.side @ corner
        inverse[:, n_head:, n_head:] = corner
        inverse[:, :n_head, n_head:] = -off_diagonal
        inverse[:, n_head:, :n_head] = -off_diagonal.mT
        inverse[:, :n_head, :n_head] = off_diagonal @ self.side.mT
        diagonal(inverse)[:, :n_head] += 1.0 / self.head
        return inverse


def diagonal(matrices: Reals) -> Reals:
    """The diagonals of ``(b, k, k)``, shape ``(b, k)``: a view that can be written to."""
    return np.asarray(np.einsum("bii->bi", matrices))


def cholesky_stack(matrices: Reals) -> tuple[Reals, npt.NDArray[np.bool_]]:
    """Upper Cholesky factors of ``(b, k, k)``; where there is none, the identity and True in the second array ``(b,)``.

    LAPACK reads columns first: a row-first matrix passes as its transpose without a copy.
    """
    upper = np.empty_like(matrices)
    failed = np.zeros(len(matrices), dtype=bool)
    for row, matrix in enumerate(matrices if matrices.shape[1] else ()):
        lower, failed[row] = dpotrf(matrix.T, lower=1)
        upper[row] = lower.T
    upper[failed] = np.eye(matrices.shape[1])
    return upper, failed


def _inverse_of_factored(upper: Reals) -> Reals:
    """The inverses of the matrices that have these upper Cholesky factors, shape ``(b, k, k)``."""
    halves = np.empty_like(upper)
    for row, factor in enumerate(upper if upper.shape[1] else ()):
        halves[row] = dpotri(factor.T, lower=1)[0].T
    whole = halves + halves.mT
    diagonal(whole)[...] /= 2.0
    return whole
