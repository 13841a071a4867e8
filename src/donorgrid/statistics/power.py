"""Power: the smallest delta that a design can show, and the items that a wanted one needs.

The noise of one cell over n items and S train seeds is, in squared percentage points,

    v = 1e4 f / n (r + (1 - r) / S) + w^2 / S

with f the flip rate (items whose answer differs between the adapter of one seed and the baseline, for no effect half
each way), r the correlation of an item's differences between seeds, w the spread between training runs beyond items.
The mean of K cells per model over M models, whose target tasks make up B blocks of cells that share their item IDs, has

    V = v / (K M) (1 + (K / B - 1) c) + m^2 / M

with c the correlation of an item's differences between cells (Kish's design effect) and m the spread of the mean
between models. A two-sided test at level a finds delta with power p when |delta| >= (q(1 - a/2) + q(p)) sqrt(V)
(Lachin 1981, Controlled Clinical Trials 2(2)), q the normal quantiles, or Student's with M - 1 degrees of freedom where
the error is taken over models. Models are taken to err apart, though they answer the same items.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from donorgrid.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Noise:
    """What is assumed of, or was measured on, item differences; the defaults are cautious where nothing is known.

    ``flip_rate`` and the correlations are shares, ``run_sd_pp`` and ``model_sd_pp`` percentage points.
    """

    flip_rate: float = 0.06
    seed_correlation: float = 0.3
    cell_correlation: float = 0.1
    run_sd_pp: float = 0.0
    model_sd_pp: float = 0.0
    origin: str = "assumed"

    def __post_init__(self) -> None:
        for name in ("flip_rate", "seed_correlation", "cell_correlation"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} {getattr(self, name)}: expected a share from 0 to 1")
        for name in ("run_sd_pp", "model_sd_pp"):
            if not getattr(self, name) >= 0.0:
                raise InputError(f"{name} {getattr(self, name)}: expected percentage points, 0 or more")


@dataclass(frozen=True, kw_only=True)
class Averaged:
    """A mean of cells: ``n_cells`` per model in ``n_blocks`` sets that share item IDs, ``n_items`` in each cell."""

    n_items: int
    n_seeds: int = 1
    n_models: int = 1
    n_cells: int = 1
    n_blocks: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise InputError(f"{name} {value}: expected 1 or more")


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test of no effect: its level (over ``n_tests``, Bonferroni), its power, and one or two sides."""

    __test__ = False

    level: float = 0.05
    power: float = 0.8
    sides: int = 2
    n_tests: int = 1

    def __post_init__(self) -> None:
        if not (0 < self.level < 1 and 0 < self.power < 1 and self.sides in (1, 2) and self.n_tests >= 1):
            raise InputError(
                f"test with level {self.level}, power {self.power}, {self.sides} sides, {self.n_tests} tests: expected "
                "shares between 0 and 1, 1 or 2 sides, 1 or more tests"
            )

    def reach(self, dof: int | None) -> float:
        """(q(1 - a) + q(power)): how many standard errors the effect must measure. ``dof`` None is normal."""
        tail = 1.0 - self.level / self.sides / self.n_tests
        if dof is None:
            return float(ndtri(tail) + ndtri(self.power))
        return float(stdtrit(dof, tail) + stdtrit(dof, self.power))


TWO_SIDED = Test()


def item_variance(noise: Noise, design: Averaged) -> float:
    """The variance of the mean that shrinks with items: everything but training runs and models.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged.

    Returns
    -------
    float
        Squared pp.
    """
    per_seed = noise.seed_correlation + (1.0 - noise.seed_correlation) / design.n_seeds
    return 1e4 * noise.flip_rate / design.n_items * per_seed * _averaging(noise, design)


def other_variance(noise: Noise, design: Averaged) -> float:
    """The variance of the mean that more items do not shrink.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged.

    Returns
    -------
    float
        Squared pp.
    """
    runs = noise.run_sd_pp**2 / design.n_seeds / design.n_cells
    return (runs + noise.model_sd_pp**2) / design.n_models


def _averaging(noise: Noise, design: Averaged) -> float:
    shared = max(design.n_cells / design.n_blocks - 1.0, 0.0) * noise.cell_correlation
    return (1.0 + shared) / (design.n_cells * design.n_models)


def se_pp(noise: Noise, design: Averaged) -> float:
    """The standard error of the mean.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged.

    Returns
    -------
    float
        Percentage points.
    """
    return float(np.sqrt(item_variance(noise, design) + other_variance(noise, design)))


def _reach(noise: Noise, design: Averaged, test: Test) -> float:
    over_models = noise.model_sd_pp > 0 and design.n_models > 1
    return test.reach(design.n_models - 1 if over_models else None)


def smallest_delta_pp(noise: Noise, design: Averaged, test: Test = TWO_SIDED) -> float:
    """The smallest true delta that the test finds with its power.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged.
    test : Test
        Level, power and sides.

    Returns
    -------
    float
        Percentage points.
    """
    return _reach(noise, design, test) * se_pp(noise, design)


def items_needed(noise: Noise, design: Averaged, wanted_pp: float, test: Test = TWO_SIDED) -> int | None:
    """Items per cell so that a true delta is found.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged; its ``n_items`` plays no part.
    wanted_pp : float
        The true delta, in percentage points.
    test : Test
        Level, power and sides.

    Returns
    -------
    int or None
        None where no number of items is enough.

    Raises
    ------
    InputError
        Unless ``wanted_pp`` is positive.
    """
    if not wanted_pp > 0:
        raise InputError(f"wanted delta {wanted_pp}: expected more than 0 percentage points")
    allowed = (wanted_pp / _reach(noise, design, test)) ** 2 - other_variance(noise, design)
    one_item = item_variance(noise, design) * design.n_items
    return None if allowed <= 0 else max(1, int(np.ceil(one_item / allowed - 1e-9)))


def noise_harm_rate(noise: Noise, design: Averaged, limit_pp: float) -> float:
    """The share of measured deltas at or below minus a limit where nothing has an effect.

    A measured delta is a whole number of answers, so the normal curve is cut half an answer above the limit.

    Parameters
    ----------
    noise : Noise
        What is assumed or measured.
    design : Averaged
        What is averaged.
    limit_pp : float
        The harm limit, in percentage points.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InputError
        For a negative limit.
    """
    if not limit_pp >= 0:
        raise InputError(f"harm limit {limit_pp}: expected 0 or more percentage points")
    error_pp = se_pp(noise, design)
    if error_pp == 0:
        return float(limit_pp == 0)
    step_pp = 100.0 / (design.n_items * design.n_seeds * design.n_cells * design.n_models)
    highest_pp = -np.ceil(limit_pp / step_pp - 1e-9) * step_pp
    return float(ndtr((highest_pp + step_pp / 2) / error_pp))
