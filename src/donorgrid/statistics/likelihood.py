"""The profiled (restricted) likelihood of a random-intercepts model, with its exact gradient and expected Hessian.

With ratios t_f = s2_f / s2 and V = I + sum_f t_f Z_f Z_f', the residual variance is profiled out:

    REML:  c(t) = (n - p) (1 + log(2 pi r / (n - p))) + log|V| + log|X'V^-1 X|,   r = y'Py
    ML:    c(t) = n (1 + log(2 pi r / n)) + log|V|

(minus twice the log likelihood; Bates et al. 2015, J. Stat. Softw. 67(1), eqs. 39 and 42). By the matrix determinant
lemma |V| = |M| with M = I + D Z'Z D, D = diag(sqrt t): a q x q Cholesky. Gradient: tr(Z_f'PZ_f) - m |Z_f'Py|^2 / r with
m = n - p, and V^-1 in place of P in the trace for ML (Searle, Casella & McCulloch 1992, section 6.6).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from donorgrid.statistics.design import Design, Moments, Reals


@dataclass(frozen=True)
class Factored:
    """What the likelihood needs of the design at one vector of ratios, whatever the response.

    ``root`` (q,) sqrt ratios per effect; ``lower`` the Cholesky factor of M; ``projected`` (q, p) Z'V^-1 X; ``inverse``
    (p, p) of X'V^-1 X; ``log_det`` log|V|, with log|X'V^-1 X| added for REML; ``traces`` (f,) and ``blocks`` (f, f) the
    traces tr(Q_ff) and norms |Q_fg|^2 of Q = Z'PZ (Z'V^-1 Z for ML); ``leverage`` (q,) the diagonal of Z'PZ.
    """

    ratios: Reals
    root: Reals
    lower: Reals
    solved: Reals
    projected: Reals
    inverse: Reals
    log_det: float
    traces: Reals
    blocks: Reals
    leverage: Reals
    dof: int


@dataclass(frozen=True)
class Point:
    """The likelihood of one response at one vector of ratios, with what estimates and predictions need.

    ``criterion`` is minus twice the log likelihood; ``slope`` (f,) and ``hessian`` (f, f) its gradient and expected
    second derivative in the ratios; ``score`` (q,) is Z'Py.
    """

    factored: Factored
    criterion: float
    slope: Reals
    hessian: Reals
    beta: Reals
    beta_cov: Reals
    residual: float
    score: Reals

    @property
    def ratios(self) -> Reals:
        """The variance ratios (f,)."""
        return self.factored.ratios


def factorise(design: Design, ratios: Reals, *, reml: bool) -> Factored | None:
    """The design at ``ratios`` (f,), each >= 0. None where M is not positive definite to working precision."""
    root = np.sqrt(ratios)[design.owner]
    scaled = design.gram * root
    scaled *= root[:, None]
    scaled.flat[:: len(root) + 1] += 1.0
    lower, failed = dpotrf(scaled.T, lower=1, overwrite_a=1)
    if failed:
        return None
    solved = dpotrs(lower, design.cross * root[:, None], lower=1)[0] * root[:, None]
    projected = design.cross - design.gram @ solved
    inverse = np.linalg.inv(design.fixed_gram - design.cross.T @ solved)
    log_det = 2.0 * float(np.log(np.diagonal(lower)).sum())
    inner, units = _inner(design, root, lower)
    spread = projected * units[:, None]
    without_fixed = inner - spread @ inverse @ spread.T
    traces, blocks = _traces(design, without_fixed if reml else inner, units)
    return Factored(
        ratios=ratios,
        root=root,
        lower=lower,
        solved=solved,
        projected=projected,
        inverse=inverse,
        log_det=log_det - float(np.linalg.slogdet(inverse)[1]) if reml else log_det,
        traces=traces,
        blocks=blocks,
        leverage=np.diagonal(without_fixed) / units**2,
        dof=design.n_rows - (design.fixed.shape[1] if reml else 0),
    )


def evaluate(design: Design, response: Moments, factored: Factored) -> Point | None:
    """The likelihood of ``response``. None where nothing is left for the residual (r is zero to working precision)."""
    root = factored.root
    solved = dpotrs(factored.lower, response.random * root, lower=1)[0] * root
    mixed = response.fixed - factored.solved.T @ response.random
    beta = factored.inverse @ mixed
    rest = response.square - float(response.random @ solved) - float(mixed @ beta)
    if not rest > 1e-13 * response.square:
        return None
    dof = factored.dof
    score = response.random - design.gram @ solved - factored.projected @ beta
    slope = factored.traces - dof * np.add.reduceat(score * score, design.starts) / rest
    return Point(
        factored=factored,
        criterion=float(dof * (1.0 + np.log(2.0 * np.pi * rest / dof))) + factored.log_det,
        slope=slope,
        hessian=factored.blocks - factored.traces[:, None] * factored.traces / dof,
        beta=beta,
        beta_cov=factored.inverse * rest / dof,
        residual=rest / dof,
        score=score,
    )


def _inner(design: Design, root: Reals, lower: Reals) -> tuple[Reals, Reals]:
    """U Z'V^-1 Z U and the diagonal of U: sqrt t where it is positive, else 1.

    Where the ratio is positive D Z'V^-1 Z D = I - M^-1; the rows of zero ratios are computed directly.
    """
    half = dpotri(lower, lower=1)[0]
    inner: Reals = -(half + half.T)
    inner.flat[:: len(root) + 1] = 1.0 - np.diagonal(half)
    at_zero = root == 0.0
    if not at_zero.any():
        return inner, root
    units = np.where(at_zero, 1.0, root)
    rows = design.gram[at_zero] * units
    inverse = np.eye(len(root)) - inner
    direct = rows - (design.gram[at_zero] * root) @ inverse @ (design.gram * root[:, None] * units)
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
