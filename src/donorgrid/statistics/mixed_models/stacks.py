"""The likelihood of many responses to one design, each at its own ratios: what ``likelihood`` computes, stacked.

A bootstrap refits a small model a thousand times, and nearly all of the time goes into the calls. Arrays have the
shapes of ``likelihood`` after a leading axis (b,), which is 1 where one vector of ratios serves all responses. NaN
stands for undefined values, where ``likelihood`` gives None.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals
from donorgrid.statistics.mixed_models.block_stacks import BlockStack, Stack, cholesky_stack, diagonal
from donorgrid.statistics.mixed_models.design import Design, Moments


@dataclass(frozen=True, kw_only=True)
class MomentStack(Stack):
    """The cross-products of many responses with one design.

    Attributes
    ----------
    random : ndarray
        Z'y, shape ``(b, q)``.
    fixed : ndarray
        X'y, shape ``(b, p)``.
    square : ndarray
        y'y, shape ``(b,)``.
    """

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
class FactoredStack(Stack):
    """A design at many vectors of ratios; the fields are those of ``likelihood.Factored``, with a leading axis."""

    ratios: Reals
    root: Reals
    blocks: BlockStack
    solved: Reals
    projected: Reals
    inverse: Reals
    log_det: Reals


@dataclass(frozen=True, kw_only=True)
class PointStack(Stack):
    """The likelihoods of many responses, each at its ratios.

    Attributes
    ----------
    criterion : ndarray
        Minus twice the log (restricted) likelihood, shape ``(b,)``.
    residual : ndarray
        Residual variance, shape ``(b,)``.
    score : ndarray
        Z'Py, shape ``(b, q)``.
    """

    criterion: Reals
    residual: Reals
    score: Reals


def factorise_stack(design: Design, ratios: Reals, *, reml: bool) -> FactoredStack:
    """Factors the design at many vectors of variance ratios.

    Parameters
    ----------
    design : Design
        The design of f factors.
    ratios : ndarray
        Variance ratios, at least 0, shape ``(b, f)``.
    reml : bool
        True: restricted likelihood. False: likelihood.

    Returns
    -------
    FactoredStack
        ``log_det`` is NaN where M is not positive definite.
    """
    root = np.sqrt(ratios)[:, design.factor_index]
    blocks, failed = _blocks(design, root)
    solved = blocks.solve(design.cross * root[:, :, None]) * root[:, :, None]
    inverse = np.asarray(np.linalg.inv(design.fixed_gram - design.cross.T @ solved), dtype=np.float64)
    log_det = blocks.log_det - np.linalg.slogdet(inverse)[1] if reml else blocks.log_det
    return FactoredStack(
        ratios=ratios,
        root=root,
        blocks=blocks,
        solved=solved,
        projected=design.cross - design.gram @ solved,
        inverse=inverse,
        log_det=np.where(failed, np.nan, log_det),
    )


def _blocks(design: Design, root: Reals) -> tuple[BlockStack, npt.NDArray[np.bool_]]:
    """M = I + D Z'Z D, factored, and where it is not positive definite."""
    n_head = design.sizes[0]
    first, rest = root[:, :n_head], root[:, n_head:]
    head = 1.0 + np.diagonal(design.gram)[:n_head] * first**2
    corner = design.gram[:n_head, n_head:] * first[:, :, None] * rest[:, None]
    side = corner / head[:, :, None]
    schur = design.gram[n_head:, n_head:] * rest[:, :, None] * rest[:, None] - corner.mT @ side
    diagonal(schur)[...] += 1.0
    upper, failed = cholesky_stack(schur)
    return BlockStack(head=head, side=side, upper=upper), failed


def evaluate_stack(design: Design, responses: MomentStack, factored: FactoredStack, *, dof: int) -> PointStack:
    """The likelihood of each response.

    Parameters
    ----------
    design : Design
        The design of the rows.
    responses : MomentStack
        The cross-products of b responses with ``design``.
    factored : FactoredStack
        ``design`` at the ratios of each response, or at one vector of ratios for all.
    dof : int
        n - p for REML, n for ML.

    Returns
    -------
    PointStack
        ``criterion`` is NaN where nothing is left for the residual.
    """
    root = factored.root
    solved = factored.blocks.solve((responses.random * root)[:, :, None])[:, :, 0] * root
    weighted = responses.fixed - (responses.random[:, None] @ factored.solved)[:, 0]
    beta = (factored.inverse @ weighted[:, :, None])[:, :, 0]
    rest = responses.square - (responses.random * solved).sum(axis=1) - (weighted * beta).sum(axis=1)
    rest = np.where(rest > 1e-13 * responses.square, rest, np.nan)
    return PointStack(
        criterion=dof * (1.0 + np.log(2.0 * np.pi * rest / dof)) + factored.log_det,
        residual=rest / dof,
        score=responses.random - solved @ design.gram - (factored.projected @ beta[:, :, None])[:, :, 0],
    )


def curvature_stack(design: Design, factored: FactoredStack, *, reml: bool) -> tuple[Reals, Reals]:
    """The traces that the derivatives of the criterion consist of, for Q = Z'PZ (for ML Z'V^-1 Z).

    Parameters
    ----------
    design : Design
        The design of f factors.
    factored : FactoredStack
        ``design`` at b vectors of ratios.
    reml : bool
        True: restricted likelihood. False: likelihood.

    Returns
    -------
    traces : ndarray
        tr(Q_ff), shape ``(b, f)``.
    squares : ndarray
        |Q_fg|^2, shape ``(b, f, f)``.
    """
    units = np.where(factored.root == 0.0, 1.0, factored.root)
    scaled = _inner(design, factored.root, units, factored.blocks.inverse())
    if reml:
        spread = factored.projected * units[:, :, None]
        scaled -= spread @ factored.inverse @ spread.mT
    squared = np.where(factored.ratios > 0.0, factored.ratios, 1.0)
    traces = np.add.reduceat(diagonal(scaled), design.starts, axis=1) / squared
    scaled *= scaled
    members = (design.factor_index[:, None] == np.arange(len(design.sizes))).astype(np.float64)
    squares = members.T @ (scaled @ members)
    return traces, squares / (squared[:, :, None] * squared[:, None])


def _inner(design: Design, root: Reals, units: Reals, inverse: Reals) -> Reals:
    """U Z'V^-1 Z U, as ``likelihood._inner``: I - M^-1; the rows of zero ratios directly, equal patterns together."""
    inner = np.negative(inverse)
    diagonal(inner)[...] += 1.0
    zero = root == 0.0
    patterns, pattern_index = np.unique(zero[:, design.starts], axis=0, return_inverse=True)
    for index, zero_factors in enumerate(patterns):
        if zero_factors.any():
            rows, at_zero = np.flatnonzero(pattern_index == index), zero_factors[design.factor_index]
            gram = design.gram[at_zero]
            right = design.gram * root[rows, :, None] * units[rows, None]
            direct = gram * units[rows, None] - (gram * root[rows, None]) @ inverse[rows] @ right
            inner[np.ix_(rows, at_zero)] = direct
            inner.swapaxes(1, 2)[np.ix_(rows, at_zero)] = direct
    return inner
