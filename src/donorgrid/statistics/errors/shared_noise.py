"""Noise that cells share: all cells of a target answer the same items against the same baseline."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from donorgrid.core.arrays import Reals

LEAST_APART = 0.1
"""Where levels have so few cells that their means hardly differ from cells, the split is not taken further."""


@dataclass(frozen=True, kw_only=True)
class SharedNoise:
    """Item noise that several cells have in common, squared pp.

    Attributes
    ----------
    common : float
        Shared by all cells.
    of_factor : mapping of str to float
        Factor (model, source, target) -> shared by the cells of one of its levels.
    of_means : ndarray or None
        Covariance of the regimes' means, shape ``(n_regimes, n_regimes)``.
    """

    common: float = 0.0
    of_factor: Mapping[str, float] = field(default_factory=dict)
    of_means: Reals | None = None


NO_SHARED_NOISE = SharedNoise()


def split_noise(
    cell: float, of_all: float, of_means: Mapping[str, float], n_levels: Mapping[str, int], n_cells: int
) -> SharedNoise:
    """Split the noise of a cell into what it shares with others and what is its alone.

    A cell's error is n_0 + sum_f n_f + e. With K cells and L_f levels,

        var e = (s^2 - g^2 - sum_f V_f) / (1 - 1 / K - sum_f (L_f - 1) / K)
        var n_f = (V_f L_f / (L_f - 1)) - var e L_f / K,  var n_0 = g^2 - sum_f var n_f / L_f - var e / K

    each at least zero.

    Parameters
    ----------
    cell : float
        Mean item variance of a cell (s^2), squared pp.
    of_all : float
        Item variance of the mean of all cells (g^2), squared pp.
    of_means : mapping of str to float
        Factor -> mean item variance of a level's mean less the mean of all (V_f), squared pp.
    n_levels : mapping of str to int
        Factor -> levels (L_f), at least two.
    n_cells : int
        Cells (K).

    Returns
    -------
    SharedNoise
        Without ``of_means``.
    """
    used = 1.0 / n_cells + sum((n - 1) / n_cells for n in n_levels.values())
    alone = (cell - of_all - sum(of_means.values())) / max(1.0 - used, LEAST_APART)
    alone = min(max(alone, 0.0), cell)
    of_factor = {
        name: max(0.0, variance * n_levels[name] / (n_levels[name] - 1) - alone * n_levels[name] / n_cells)
        for name, variance in of_means.items()
    }
    common = of_all - sum(part / n_levels[name] for name, part in of_factor.items()) - alone / n_cells
    return SharedNoise(common=max(0.0, common), of_factor=of_factor)
