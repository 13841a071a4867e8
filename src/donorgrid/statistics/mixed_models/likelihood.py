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
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from donorgrid.core.arrays import Reals
from donorgrid.statistics.mixed_models.design import Design, Moments


@dataclass(frozen=True)
class Factored:
    """What the likelihood needs of the design at one vector of ratios, whatever the response.

    ``root`` (q,): sqrt ratios per effect. ``head`` (h,) the diagonal block of M, ``side`` (h, q - h) the block next to
    it, over ``head``; ``lower`` the Cholesky factor of the Schur complement. ``solved`` (q, p): D M^-1 D Z'X;
    ``projected`` (q, p): Z'V^-1 X; ``inverse`` (p, p): of X'V^-1 X. ``log_det``: log|V|, for REML with log|X'V^-1 X|.
    ``dof``: n - p, for ML n. What only a further step needs is computed when it is asked for.
    """

    design: Design
    reml: bool
    ratios: Reals
    root: Reals
    head: Reals
    side: Reals
    lower: Reals
    solved: Reals
    projected: Reals
    inverse: Reals
    log_det: float
    dof: int

    @cached_property
    def _inside(self) -> tuple[Reals, Reals, Reals]:
        """U Z'V^-1 Z U, U Z'PZ U and the diagonal of U."""
        inner, units = _inner(self.design, self.root, _inverse(self.head, self.side, self.lower))
        spread = self.projected * units[:, None]
        return inner, inner - spread @ self.inverse @ spread.T, units

    @cached_property
    def curvature(self) -> tuple[Reals, Reals]:
        """tr(Q_ff) per factor (f,) and |Q_fg|^2 per pair (f, f) of Q = Z'PZ (for ML Z'V^-1 Z)."""
        inner, without_fixed, units = self._inside
        return _traces(self.design, without_fixed if self.reml else inner, units)

    @cached_property
    def leverage(self) -> Reals:
        """(q,): the diagonal of Z'PZ."""
        _, without_fixed, units = self._inside
        return np.asarray(np.diagonal(without_fixed) / units**2)


@dataclass(frozen=True)
class Point:
    """The likelihood of one response at one vector of ratios, with what estimates and predictions need.

    ``criterion`` is minus twice the log likelihood; ``score`` (q,) is Z'Py.
    """

    factored: Factored
    criterion: float
    beta: Reals
    beta_cov: Reals
    residual: float
    score: Reals

    @property
    def ratios(self) -> Reals:
        """The variance ratios (f,)."""
        return self.factored.ratios

    @cached_property
    def slope(self) -> Reals:
        """The gradient (f,) of the criterion in the ratios."""
        traces, _ = self.factored.curvature
        return np.asarray(
            traces - np.add.reduceat(self.score * self.score, self.factored.design.starts) / self.residual
        )

    @cached_property
    def hessian(self) -> Reals:
        """The expected second derivative (f, f) of the criterion in the ratios."""
        traces, blocks = self.factored.curvature
        return np.asarray(blocks - traces[:, None] * traces / self.factored.dof)


def factorise(design: Design, ratios: Reals, *, reml: bool) -> Factored | None:
    """The design at ``ratios`` (f,), each >= 0. None where M is not positive definite to working precision."""
    root = np.sqrt(ratios)[design.owner]
    scaled = design.gram * root
    scaled *= root[:, None]
    scaled.flat[:: len(root) + 1] += 1.0
    n_head = design.sizes[0]
    head, corner = np.diagonal(scaled)[:n_head].copy(), scaled[:n_head, n_head:]
    side = corner / head[:, None]
    lower, failed = dpotrf(scaled[n_head:, n_head:] - corner.T @ side, lower=1)
    if failed:
        return None
    solved = _solve(head, side, lower, design.cross * root[:, None]) * root[:, None]
    projected = design.cross - design.gram @ solved
    inverse = np.asarray(np.linalg.inv(design.fixed_gram - design.cross.T @ solved), dtype=np.float64)
    log_det = float(np.log(head).sum()) + 2.0 * float(np.log(np.diagonal(lower)).sum())
    return Factored(
        design=design,
        reml=reml,
        ratios=ratios,
        root=root,
        head=head,
        side=side,
        lower=lower,
        solved=solved,
        projected=projected,
        inverse=inverse,
        log_det=log_det - float(np.linalg.slogdet(inverse)[1]) if reml else log_det,
        dof=design.n_rows - (design.fixed.shape[1] if reml else 0),
    )


def evaluate(design: Design, response: Moments, factored: Factored) -> Point | None:
    """The likelihood of ``response``. None where nothing is left for the residual (r is zero to working precision)."""
    root = factored.root
    sought = (response.random * root)[:, None]
    solved = _solve(factored.head, factored.side, factored.lower, sought)[:, 0] * root
    mixed = response.fixed - factored.solved.T @ response.random
    beta = factored.inverse @ mixed
    rest = response.square - float(response.random @ solved) - float(mixed @ beta)
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


def _solve(head: Reals, side: Reals, lower: Reals, right: Reals) -> Reals:
    """M^-1 times (q, k)."""
    n_head = len(head)
    first = right[:n_head]
    rest = dpotrs(lower, right[n_head:] - side.T @ first, lower=1)[0] if len(lower) else right[n_head:]
    return np.concatenate([first / head[:, None] - side @ rest, rest])


def _inverse(head: Reals, side: Reals, lower: Reals) -> Reals:
    """M^-1 (q, q) from its blocks."""
    n_head, size = side.shape[0], sum(side.shape)
    inverse = np.empty((size, size))
    corner = dpotri(lower, lower=1)[0] if len(lower) else lower
    corner = corner + corner.T
    corner.flat[:: len(corner) + 1] /= 2.0
    mixed = side @ corner
    inverse[n_head:, n_head:] = corner
    inverse[:n_head, n_head:] = -mixed
    inverse[n_head:, :n_head] = -mixed.T
    inverse[:n_head, :n_head] = mixed @ side.T
    inverse.flat[: n_head * size : size + 1] += 1.0 / head
    return inverse


def _inner(design: Design, root: Reals, inverse: Reals) -> tuple[Reals, Reals]:
    """U Z'V^-1 Z U and the diagonal of U: sqrt t where it is positive, else 1.

    Where the ratio is positive D Z'V^-1 Z D = I - M^-1; the rows of zero ratios are computed directly.
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
    """tr(Q_ff) per factor and |Q_fg|^2 per pair, from U Q U."""
    starts = design.starts
    squared = units[starts] ** 2
    traces = np.add.reduceat(np.diagonal(scaled), starts) / squared
    blocks = np.add.reduceat(np.add.reduceat(scaled * scaled, starts, axis=0), starts, axis=1)
    return traces, blocks / (squared[:, None] * squared)
