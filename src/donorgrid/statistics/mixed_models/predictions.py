"""Predicted effects of a fitted model."""

from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import Design
from donorgrid.statistics.mixed_models.reml import MixedFit


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Best linear unbiased predictions of one factor's effects.

    Attributes
    ----------
    levels : tuple of str
        Level names.
    effects, se : ndarray
        Predicted effects and their standard errors, in units of the response, shape ``(n_levels,)``.
    """

    levels: tuple[str, ...]
    effects: Reals
    se: Reals


def predictions(design: Design, fitted: MixedFit, factor: str) -> Predictions:
    """The effects of one factor: u = s2_f Z_f'V^-1(y - X beta), with se^2 = s2_f - s2_f^2 diag(Z_f'PZ_f) (Henderson).

    The standard error is of prediction (u - u-hat), the fixed part estimated, variances taken as known.

    Parameters
    ----------
    design : Design
        The design of the fit.
    fitted : MixedFit
        The fit.
    factor : str
        A name of the design.

    Returns
    -------
    Predictions

    Raises
    ------
    InputError
        When the design has no such factor.

    References
    ----------
    Henderson 1975, Biometrics 31.
    """
    if factor not in design.names:
        raise InputError(f"mixed model: no factor '{factor}'; it has {list(design.names)}")
    index = design.names.index(factor)
    of_factor = design.factor_index == index
    ratio = fitted.point.ratios[index]
    spread = ratio - ratio**2 * fitted.point.factored.leverage[of_factor]
    return Predictions(
        levels=tuple(map(str, design.levels[index])),
        effects=ratio * fitted.point.score[of_factor],
        se=np.sqrt(np.maximum(spread, 0.0) * fitted.residual),
    )
