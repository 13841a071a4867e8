"""A mixed model of each row: its prediction, effect by effect, with the errors of beta and of the effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Ints, Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import Design, make_design
from donorgrid.statistics.mixed_models.reml import MixedFit, fit


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A fitted response of n rows: the fixed part, and each row's effect of each factor.

    Attributes
    ----------
    fixed : ndarray
        X, shape ``(n, p)``.
    beta : ndarray
        Fixed effects, shape ``(p,)``.
    variances : mapping of str to float
        Factor -> variance of its effects.
    residual : float
        Residual variance.
    effects : mapping of str to ndarray
        Factor -> best linear unbiased prediction for each row, shape ``(n,)``; without factors of variance zero.
    columns : mapping of str to ndarray of int
        Factor -> column of each row's effect in ``covariance``, shape ``(n,)``; without factors of variance zero.
    covariance : ndarray
        Errors of beta and of the predictions (Henderson), shape ``(p + q, p + q)``.
    criterion : float or None
        -2 log restricted likelihood; None where nothing is left over.
    """

    fixed: Reals
    beta: Reals
    variances: Mapping[str, float]
    residual: float
    effects: Mapping[str, Reals]
    columns: Mapping[str, Ints]
    covariance: Reals
    criterion: float | None

    @property
    def predicted(self) -> Reals:
        """X b plus all predicted effects, shape ``(n,)``; the rest of the response is the residual."""
        return np.asarray(self.fixed @ self.beta + sum(self.effects.values()))


def explain(factors: Mapping[str, Ints], y: Reals, fixed: Reals) -> Explained | None:
    """Fit a response by REML; by least squares where there are no factors or it does not vary.

    Parameters
    ----------
    factors : mapping of str to ndarray of int
        Factor -> level code of each row, shape ``(n,)``.
    y : ndarray
        The response, shape ``(n,)``.
    fixed : ndarray
        X, shape ``(n, p)``.

    Returns
    -------
    Explained or None
        None for too few rows.
    """
    n_rows, n_fixed = fixed.shape
    if n_rows <= n_fixed or np.linalg.matrix_rank(fixed) < n_fixed:
        return None
    try:
        design = make_design(factors, fixed=fixed)
        fitted = fit(design, y)
    except InputError:
        return _by_least_squares(y, fixed)
    return _by_mixed_model(design, fitted)


def _by_least_squares(y: Reals, fixed: Reals) -> Explained:
    n_rows, n_fixed = fixed.shape
    gram = fixed.T @ fixed
    beta: Reals = np.asarray(np.linalg.solve(gram, fixed.T @ y), dtype=np.float64)
    residual = float(((y - fixed @ beta) ** 2).sum()) / (n_rows - n_fixed)
    varies = residual > 1e-24 * max(1.0, float((y * y).mean()))
    log_det = float(np.linalg.slogdet(gram)[1])
    criterion = (n_rows - n_fixed) * (1.0 + np.log(2.0 * np.pi * residual)) + log_det if varies else None
    return Explained(
        fixed=fixed,
        beta=beta,
        variances={},
        residual=residual,
        effects={},
        columns={},
        covariance=np.linalg.inv(gram) * residual,
        criterion=criterion,
    )


def _by_mixed_model(design: Design, fitted: MixedFit) -> Explained:
    ratios = fitted.point.ratios
    per_effect = ratios[design.factor_index]
    active, n_fixed = per_effect > 0, design.fixed.shape[1]
    normal = np.block(
        [
            [design.fixed_gram, design.cross[active].T],
            [design.cross[active], design.gram[np.ix_(active, active)] + np.diag(1.0 / per_effect[active])],
        ]
    )
    effects = per_effect * fitted.point.score
    column = np.cumsum(active) - 1 + n_fixed
    of_rows = {
        name: start + codes
        for name, start, codes, ratio in zip(design.names, design.starts, design.codes, ratios, strict=True)
        if ratio > 0
    }
    return Explained(
        fixed=design.fixed,
        beta=fitted.beta,
        variances=dict(zip(fitted.names, fitted.variances.tolist(), strict=True)),
        residual=fitted.residual,
        effects={name: effects[rows] for name, rows in of_rows.items()},
        columns={name: column[rows] for name, rows in of_rows.items()},
        covariance=np.linalg.inv(normal) * fitted.residual,
        criterion=fitted.criterion,
    )


def akaike(models: Sequence[Explained | None]) -> float | None:
    """Akaike's criterion of models of separate rows together: -2 log likelihood plus twice the variances.

    Parameters
    ----------
    models : sequence of Explained or None
        Fits of separate rows.

    Returns
    -------
    float or None
        None where a fit is missing or its likelihood is not defined.

    References
    ----------
    Akaike 1974, IEEE Trans. Autom. Control 19.
    """
    total = 0.0
    for model in models:
        if model is None or model.criterion is None:
            return None
        total += model.criterion + 2.0 * (len(model.variances) + 1)
    return total
