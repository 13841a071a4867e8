"""The likelihood of many responses to one design, each at its own ratios: what ``likelihood`` computes, stacked.

A bootstrap refits a small model a thousand times; one by one, nearly all of the time goes into the calls. Arrays have
the shapes of ``likelihood`` behind a leading axis (b,), which is 1 where one design serves all. Only LAPACK's factors
are made one by one. What is not defined is NaN, where ``likelihood`` gives None.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from donorgrid.core.arrays import Reals
from donorgrid.statistics.mixed_models.design import Design, Moments

Rows = npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice


@dataclass(frozen=True)
class _Stack:
    def take(self, rows: Rows) -> Self:
        """The same of these rows."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, kw_only=True)
class MomentStack(_Stack):
    """Responses against one design: Z'y (b, q), X'y (b, p), y'y (b,)."""

    random: Reals
    fixed: Reals
    square: Reals

    def __len__(self) -> int:
        """Number of responses."""
        return len(self.square)

    def __iter__(self) -> Iterator[Moments]:
        """Each response alone."""
        for random, fixed, square in zip(self.random, self.fixed, self.square, strict=True):
            yield Moments(random=random, fixed=fixed, square=float(square))


@dataclass(frozen=True, kw_only=True)
class FactoredStack(_Stack):
    """A design at the ratios (b, f) of each row; see ``likelihood.Factored``."""

    ratios: Reals
    root: Reals
    head: Reals
    side: Reals
    upper: Reals
    solved: Reals
    projected: Reals
    inverse: Reals
    log_det: Reals


@dataclass(frozen=True, kw_only=True)
class Looks(_Stack):
    """The likelihood of each response: criterion (b,), residual variance (b,), score Z'Py (b, q)."""

    criterion: Reals
    residual: Reals
    score: Reals


def factorise_stack(design: Design, ratios: Reals, *, reml: bool) -> FactoredStack:
    """The design at each row of ``ratios`` (b, f), all >= 0; ``log_det`` is NaN where M is not positive definite."""
    root = np.sqrt(ratios)[:, design.owner]
    n_head = design.sizes[0]
    above, below = root[:, :n_head], root[:, n_head:]
    head = 1.0 + np.diagonal(design.gram)[:n_head] * above**2
    corner = design.gram[:n_head, n_head:] * above[:, :, None] * below[:, None]
    side = corner / head[:, :, None]
    schur = design.gram[n_head:, n_head:] * below[:, :, None] * below[:, None] - _transposed(corner) @ side
    _diagonal(schur)[...] += 1.0
    upper, failed = _factors(schur)
    solved = _solve(head, side, upper, design.cross * root[:, :, None]) * root[:, :, None]
    inverse = np.asarray(np.linalg.inv(design.fixed_gram - design.cross.T @ solved), dtype=np.float64)
    log_det = np.log(head).sum(axis=1) + 2.0 * np.log(_diagonal(upper)).sum(axis=1)
    if reml:
        log_det -= np.linalg.slogdet(inverse)[1]
    return FactoredStack(
        ratios=ratios,
        root=root,
        head=head,
        side=side,
        upper=upper,
        solved=solved,
        projected=design.cross - design.gram @ solved,
        inverse=inverse,
        log_det=np.where(failed, np.nan, log_det),
    )


def evaluate_stack(design: Design, responses: MomentStack, factored: FactoredStack, *, dof: int) -> Looks:
    """The likelihood of each response; the criterion is NaN where nothing is left for the residual."""
    root = factored.root
    sought = (responses.random * root)[:, :, None]
    solved = _solve(factored.head, factored.side, factored.upper, sought)[:, :, 0] * root
    mixed = responses.fixed - (responses.random[:, None] @ factored.solved)[:, 0]
    beta = (factored.inverse @ mixed[:, :, None])[:, :, 0]
    rest = responses.square - (responses.random * solved).sum(axis=1) - (mixed * beta).sum(axis=1)
    rest = np.where(rest > 1e-13 * responses.square, rest, np.nan)
    return Looks(
        criterion=dof * (1.0 + np.log(2.0 * np.pi * rest / dof)) + factored.log_det,
        residual=rest / dof,
        score=responses.random - solved @ design.gram - (factored.projected @ beta[:, :, None])[:, :, 0],
    )


def curvature_stack(design: Design, factored: FactoredStack, *, reml: bool) -> tuple[Reals, Reals]:
    """tr(Q_ff) (b, f) and |Q_fg|^2 (b, f, f) of Q = Z'PZ (for ML Z'V^-1 Z)."""
    inverse = _inverse(factored)
    units = np.where(factored.root == 0.0, 1.0, factored.root)
    scaled = _inner(design, factored.root, units, inverse)
    if reml:
        spread = factored.projected * units[:, :, None]
        scaled -= spread @ factored.inverse @ _transposed(spread)
    squared = np.where(factored.ratios > 0.0, factored.ratios, 1.0)
    traces = np.add.reduceat(_diagonal(scaled), design.starts, axis=1) / squared
    scaled *= scaled
    members = (design.owner[:, None] == np.arange(len(design.sizes))).astype(np.float64)
    blocks = members.T @ (scaled @ members)
    return traces, blocks / (squared[:, :, None] * squared[:, None])


def _transposed(stack: Reals) -> Reals:
    return stack.swapaxes(1, 2)


def _diagonal(stack: Reals) -> Reals:
    """The diagonals (b, k) of (b, k, k): a view, to be written to."""
    return np.asarray(np.einsum("bii->bi", stack))


def _factors(matrices: Reals) -> tuple[Reals, npt.NDArray[np.bool_]]:
    """Upper Cholesky factors (b, k, k), the identity where there is none, and where that is.

    LAPACK reads columns first, so that it takes a row-first matrix for its transpose without a copy.
    """
    upper = np.empty_like(matrices)
    failed = np.zeros(len(matrices), dtype=bool)
    for row, matrix in enumerate(matrices if matrices.shape[1] else ()):
        lower, failed[row] = dpotrf(matrix.T, lower=1)
        upper[row] = lower.T
    upper[failed] = np.eye(matrices.shape[1])
    return upper, failed


def _solve(head: Reals, side: Reals, upper: Reals, right: Reals) -> Reals:
    """M^-1 times (b, q, k); the factors of one design may serve all of ``right``."""
    n_head = head.shape[1]
    first = right[:, :n_head]
    rest = right[:, n_head:] - _transposed(side) @ first
    if rest.shape[1] and len(upper) == 1:
        rest = dpotrs(upper[0].T, rest.transpose(1, 0, 2).reshape(rest.shape[1], -1), lower=1)[0]
        rest = rest.reshape(rest.shape[0], len(right), -1).transpose(1, 0, 2)
    elif rest.shape[1]:
        rest = np.stack([dpotrs(one.T, sought, lower=1)[0] for one, sought in zip(upper, rest, strict=True)])
    return np.concatenate([first / head[:, :, None] - side @ rest, rest], axis=1)


def _inverse(factored: FactoredStack) -> Reals:
    """M^-1 (b, q, q) from its blocks."""
    side, n_head = factored.side, factored.head.shape[1]
    size = factored.root.shape[1]
    inverse = np.empty((len(side), size, size))
    corner = _inverse_corner(factored.upper)
    mixed = side @ corner
    inverse[:, n_head:, n_head:] = corner
    inverse[:, :n_head, n_head:] = -mixed
    inverse[:, n_head:, :n_head] = -_transposed(mixed)
    inverse[:, :n_head, :n_head] = mixed @ _transposed(side)
    _diagonal(inverse)[:, :n_head] += 1.0 / factored.head
    return inverse


def _inverse_corner(upper: Reals) -> Reals:
    halves = np.empty_like(upper)
    for row, one in enumerate(upper if upper.shape[1] else ()):
        halves[row] = dpotri(one.T, lower=1)[0].T
    whole = halves + _transposed(halves)
    _diagonal(whole)[...] /= 2.0
    return whole


def _inner(design: Design, root: Reals, units: Reals, inverse: Reals) -> Reals:
    """U Z'V^-1 Z U, as ``likelihood`` has it: I - M^-1, and the rows of zero ratios directly, alike ones together."""
    inner = np.negative(inverse)
    _diagonal(inner)[...] += 1.0
    zero = root == 0.0
    patterns, which = np.unique(zero[:, design.starts], axis=0, return_inverse=True)
    for place, pattern in enumerate(patterns):
        if pattern.any():
            rows, own = np.flatnonzero(which == place), pattern[design.owner]
            gram = design.gram[own]
            behind = design.gram * root[rows, :, None] * units[rows, None]
            direct = gram * units[rows, None] - (gram * root[rows, None]) @ inverse[rows] @ behind
            inner[np.ix_(rows, own)] = direct
            inner.swapaxes(1, 2)[np.ix_(rows, own)] = direct
    return inner
