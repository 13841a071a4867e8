"""The profiled (restricted) likelihood of a random-intercepts model, with its exact gradient and expected Hessian.

With ratios t_f = s2_f / s2 and V = I + sum_f t_f Z_f Z_f', the residual variance is profiled out:

    REML:  c(t) = (n - p) (1 + log(2 pi r / (n - p))) + log|V| + log|X'V^-1 X|,   r = y'Py
    ML:    c(t) = n (1 + log(2 pi r / n)) + log|V|

(minus twice the log likelihood; Bates et al. 2015, J. Stat. Softw. 67(1), eqs. 39 and 42). By the matrix determinant
lemma |V| = |M| with M = I + D Z'Z D, D = diag(sqrt t). The largest factor's block of M is diagonal and is eliminated
first; a Cholesky factor of the Schur complement does the rest. Gradient: tr(Z_f'PZ_f) - m |Z_f'Py|^2 / r with
m = n - p, and V^-1 in place of P in the trace for ML (Searle, Casella & McCulloch 1992, section 6.6).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.mixed_models.block_factor import BlockFactor, factor_blocks
from donorgrid.statistics.mixed_models.design import Design, Moments


@dataclass(frozen=True)
class Factored:
    """What the likelihood needs of the design at one vector of ratios, whatever the response.

    ``curvature`` and ``leverage`` are computed on first use: only a further step or a prediction needs them.

    Attributes
    ----------
    design : Design
        The design of n rows, p fixed columns, f factors and q effects.
    reml : bool
        True: restricted likelihood. False: likelihood.
    ratios : ndarray
        Variance ratios t, shape ``(f,)``.
    root : ndarray
        sqrt t of each effect's factor, shape ``(q,)``.
    blocks : BlockFactor
        M, factored.
    solved : ndarray
        D M^-1 D Z'X, shape ``(q, p)``.
    projected : ndarray
        Z'V^-1 X, shape ``(q, p)``.
    inverse : ndarray
        (X'V^-1 X)^-1, shape ``(p, p)``.
    log_det : float
        log|V|; for REML plus log|X'V^-1 X|.
    dof : int
        n - p for REML, n for ML.
    """

    design: Design
    reml: bool
    ratios: Reals
    root: Reals
    blocks: BlockFactor
    solved: Reals
    projected: Reals
    inverse: Reals
    log_det: float
    dof: int

    @cached_property
    def _inside(self) -> tuple[Reals, Reals, Reals]:
        """U Z'V^-1 Z U and U Z'PZ U, shape ``(q, q)`` each, and the diagonal of U, shape ``(q,)``; see ``_inner``."""
        inner, units = _inner(self.design, self.root, self.blocks.inverse())
        spread = self.projected * units[:, None]
        return inner, inner - spread @ self.inverse @ spread.T, units

    @cached_property
    def curvature(self) -> tuple[Reals, Reals]:
        """tr(Q_ff), shape ``(f,)``, and |Q_fg|^2, shape ``(f, f)``, of Q = Z'PZ (for ML Z'V^-1 Z)."""
        inner, without_fixed, units = self._inside
        return _traces(self.design, without_fixed if self.reml else inner, units)

    @cached_property
    def leverage(self) -> Reals:
        """The diagonal of Z'PZ, shape ``(q,)``."""
        _, without_fixed, units = self._inside
        return np.asarray(np.diagonal(without_fixed) / units**2)


@dataclass(frozen=True)
class Point:
    """The likelihood of one response at one vector of ratios, with what estimates and predictions need.

    Attributes
    ----------
    factored : Factored
        The design at these ratios.
    criterion : float
        Minus twice the log (restricted) likelihood.
    beta, beta_cov : ndarray
        Fixed effects, shape ``(p,)``, and their covariance, shape ``(p, p)``.
    residual : float
        Residual variance.
    score : ndarray
        Z'Py, shape ``(q,)``.
    """

    factored: Factored
    criterion: float
    beta: Reals
    beta_cov: Reals
    residual: float
    score: Reals

    @property
    def ratios(self) -> Reals:
        """The variance ratios, shape ``(f,)``."""
        return self.factored.ratios

    @cached_property
    def slope(self) -> Reals:
        """The gradient of the criterion in the ratios, shape ``(f,)``."""
        traces, _ = self.factored.curvature
        return np.asarray(
            traces - np.add.reduceat(self.score * self.score, self.factored.design.starts) / self.residual
        )

    @cached_property
    def hessian(self) -> Reals:
        """The expected second derivative of the criterion in the ratios, shape ``(f, f)``."""
        traces, squares = self.factored.curvature
        return np.asarray(squares - traces[:, None] * traces / self.factored.dof)


def factorise(design: Design, ratios: Reals, *, reml: bool) -> Factored | None:
    """Factors the design at a vector of variance ratios.

    Parameters
    ----------
    design : Design
        The design of f factors.
    ratios : ndarray
        Variance of each factor over the residual variance, at least 0, shape ``(f,)``.
    reml : bool
        True: restricted likelihood. False: likelihood.

    Returns
    -------
    Factored or None
        None if M is not positive definite to working precision.
    """
    root = np.sqrt(ratios)[design.factor_index]
    scaled = design.gram * root
    scaled *= root[:, None]
    scaled.flat[:: len(root) + 1] += 1.0
    blocks = factor_blocks(scaled, n_head=design.sizes[0])
    if blocks is None:
        return None
    solved = blocks.solve(design.cross * root[:, None]) * root[:, None]
    projected = design.cross - design.gram @ solved
    inverse = np.asarray(np.linalg.inv(design.fixed_gram - design.cross.T @ solved), dtype=np.float64)
    return Factored(
        design=design,
        reml=reml,
        ratios=ratios,
        root=root,
        blocks=blocks,
        solved=solved,
        projected=projected,
        inverse=inverse,
        log_det=blocks.log_det - float(np.linalg.slogdet(inverse)[1]) if reml else blocks.log_det,
        dof=design.n_rows - (design.fixed.shape[1] if reml else 0),
    )


def evaluate(design: Design, response: Moments, factored: Factored) -> Point | None:
    """The likelihood of a response.

    Parameters
    ----------
    design : Design
        The design of the rows.
    response : Moments
        The cross-products of the response with ``design``.
    factored : Factored
        ``design`` at the variance ratios.

    Returns
    -------
    Point or None
        None if nothing is left for the residual (r is zero to working precision).
    """
    root = factored.root
    solved = factored.blocks.solve((response.random * root)[:, None])[:, 0] * root
    weighted = response.fixed - factored.solved.T @ response.random
    beta = factored.inverse @ weighted
    rest = response.square - float(response.random @ solved) - float(weighted @ beta)
    if not rest > 1e-13 * response.square:
        return None
    dof = factored.dof
    score = response.random - design.gram @ solved - factored.projected @ beta
    return Point(
        factored=factored,
        criterion=float(dof * (1.0 + np.log(2.0 * np.pi * rest / dof))) + factored.log_det,
        beta=beta,
        beta_cov=factored.inverse * rest / dof,
        residual=rest / dof,
        score=score,
    )


def _inner(design: Design, root: Reals, inverse: Reals) -> tuple[Reals, Reals]:
    """U Z'V^-1 Z U and the diagonal of U, which is sqrt t where that is positive, else 1.

    D Z'V^-1 Z D = I - M^-1 gives the rows of positive ratios; the rows of zero ratios are computed directly.
    """
    at_zero = root == 0.0
    units = np.where(at_zero, 1.0, root)
    direct = None
    if at_zero.any():
        rows = design.gram[at_zero]
        direct = rows * units - (rows * root) @ inverse @ (design.gram * root[:, None] * units)
    inner = np.negative(inverse, out=inverse)
    inner.flat[:: len(root) + 1] += 1.0
    if direct is not None:
        inner[at_zero] = direct
        inner[:, at_zero] = direct.T
    return inner, units


def _traces(design: Design, scaled: Reals, units: Reals) -> tuple[Reals, Reals]:
    """tr(Q_ff), shape ``(f,)``, and |Q_fg|^2, shape ``(f, f)``, from ``scaled`` = U Q U."""
    starts = design.starts
    squared = units[starts] ** 2
    traces = np.add.reduceat(np.diagonal(scaled), starts) / squared
    blocks = np.add.reduceat(np.add.reduceat(scaled * scaled, starts, axis=0), starts, axis=1)
    return traces, blocks / (squared[:, None] * squared)
