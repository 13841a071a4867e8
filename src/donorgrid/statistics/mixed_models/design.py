"""The design of a random-intercepts model, reduced to its cross-products.

y = X beta + sum_f Z_f u_f + e, with u_f ~ N(0, s2_f I) per factor f and e ~ N(0, s2 I). Everything that a fit needs is
Z'Z, Z'X, X'X and, per response, Z'y, X'y, y'y: their size is the number of random effects q, whatever the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Ints, Reals
from donorgrid.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Design:
    """The factors of n rows, the fixed part X, and their cross-products.

    The f factors stand largest first: the block of the first factor in Z'Z is diagonal and is eliminated by hand.

    Attributes
    ----------
    names : tuple of str
        Factors, length f.
    sizes : tuple of int
        Levels of each factor; they add up to q effects.
    codes : tuple of ndarray of int
        Level code of each row, shape ``(n,)`` per factor.
    levels : tuple of ndarray of str
        Level names, shape ``(size,)`` per factor.
    fixed : ndarray
        X, shape ``(n, p)``.
    gram, cross, fixed_gram : ndarray
        Z'Z, shape ``(q, q)``; Z'X, shape ``(q, p)``; X'X, shape ``(p, p)``.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    codes: tuple[Ints, ...]
    levels: tuple[npt.NDArray[np.str_], ...]
    fixed: Reals
    gram: Reals
    cross: Reals
    fixed_gram: Reals

    @property
    def n_rows(self) -> int:
        """Number of observations."""
        return len(self.fixed)

    @cached_property
    def starts(self) -> Ints:
        """Index of each factor's first effect among the q, shape ``(f,)``."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.int64)

    @cached_property
    def factor_index(self) -> Ints:
        """Index of each effect's factor, shape ``(q,)``."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


@dataclass(frozen=True, kw_only=True)
class Moments:
    """The cross-products of a response with a design.

    Attributes
    ----------
    random : ndarray
        Z'y, shape ``(q,)``.
    fixed : ndarray
        X'y, shape ``(p,)``.
    square : float
        y'y.
    """

    random: Reals
    fixed: Reals
    square: float


def make_design(factors: Mapping[str, npt.ArrayLike], *, fixed: Reals | None = None) -> Design:
    """The design of a random-intercepts model.

    Parameters
    ----------
    factors : mapping of str to array_like
        Factor -> level of each row, shape ``(n,)``.
    fixed : ndarray, optional
        X, shape ``(n, p)``; default an intercept.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        When there is no factor, lengths differ, or a factor has one level (the intercept's).
    """
    named = {name: np.unique(np.asarray(values), return_inverse=True) for name, values in factors.items()}
    lengths = {name: len(codes) for name, (_, codes) in named.items()}
    if not named or len(set(lengths.values())) != 1:
        raise InputError(f"mixed model: expected factors of one length, found {lengths}")
    single = [name for name, (levels, _) in named.items() if len(levels) < 2]
    if single:
        raise InputError(f"mixed model: factor '{single[0]}' has one level; at least two are needed")
    named = dict(sorted(named.items(), key=lambda entry: -len(entry[1][0])))
    n_rows = next(iter(lengths.values()))
    matrix = np.ones((n_rows, 1)) if fixed is None else np.asarray(fixed, dtype=np.float64)
    codes = tuple(np.asarray(code, dtype=np.int64) for _, code in named.values())
    sizes = tuple(len(levels) for levels, _ in named.values())
    return Design(
        names=tuple(named),
        sizes=sizes,
        codes=codes,
        levels=tuple(levels.astype(str) for levels, _ in named.values()),
        fixed=matrix,
        gram=_gram(codes, sizes),
        cross=np.concatenate([_sums(code, size, matrix) for code, size in zip(codes, sizes, strict=True)]),
        fixed_gram=matrix.T @ matrix,
    )


def _gram(codes: tuple[Ints, ...], sizes: tuple[int, ...]) -> Reals:
    """Z'Z: how many rows each pair of levels shares."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    gram = np.zeros((starts[-1], starts[-1]))
    for f, g in combinations_with_replacement(range(len(sizes)), 2):
        pairs = np.bincount(codes[f] * sizes[g] + codes[g], minlength=sizes[f] * sizes[g]).reshape(sizes[f], sizes[g])
        gram[starts[f] : starts[f + 1], starts[g] : starts[g + 1]] = pairs
        gram[starts[g] : starts[g + 1], starts[f] : starts[f + 1]] = pairs.T
    return gram


def _sums(code: Ints, size: int, columns: Reals) -> Reals:
    return np.stack([np.bincount(code, weights=column, minlength=size) for column in columns.T], axis=1)


def moments(design: Design, y: Reals) -> Moments:
    """The cross-products of a response with the design.

    Parameters
    ----------
    design : Design
        The design of n rows.
    y : ndarray
        The response, shape ``(n,)``.

    Returns
    -------
    Moments
    """
    sums = [np.bincount(code, weights=y, minlength=size) for code, size in zip(design.codes, design.sizes, strict=True)]
    return Moments(random=np.concatenate(sums), fixed=design.fixed.T @ y, square=float(y @ y))
