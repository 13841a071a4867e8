"""Choosing is not measuring: candidates on two parts of the evidence, chosen on one part and reported on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals
from donorgrid.statistics.rankings.kendall import mean_over_pairs, tau_b


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Means of candidates (pp) on everything and on the two parts of each split.

    Attributes
    ----------
    names : tuple of str
        Candidates.
    whole : ndarray
        Means on everything, shape ``(n_candidates,)``.
    first, second : ndarray
        Means on the two parts, shape ``(n_splits, n_candidates)``.
    split : {"items", "seeds"}
        What was split.
    """

    names: tuple[str, ...]
    whole: Reals
    first: Reals
    second: Reals
    split: Literal["items", "seeds"]

    def select(self, candidates: Sequence[str]) -> Self:
        """The same for some of the candidates, in the given order."""
        columns = [self.names.index(name) for name in candidates]
        return type(self)(
            names=tuple(candidates),
            whole=self.whole[columns],
            first=self.first[:, columns],
            second=self.second[:, columns],
            split=self.split,
        )

    @property
    def best(self) -> npt.NDArray[np.intp]:
        """Index of the best candidate of each part, shape ``(2 n_splits,)``."""
        return np.concatenate([self.first.argmax(axis=1), self.second.argmax(axis=1)])

    @property
    def honest_pp(self) -> float:
        """The mean, on the other part, of the candidate that is best on one part."""
        rows = np.arange(len(self.first))
        forth = self.second[rows, self.first.argmax(axis=1)]
        back = self.first[rows, self.second.argmax(axis=1)]
        return float((forth.mean() + back.mean()) / 2.0)

    @property
    def agreement(self) -> float | None:
        """The mean tau-b between the rankings of the two parts; None where no split has one."""
        taus = mean_over_pairs(tau_b(np.stack([self.first, self.second], axis=1), least=2))
        known = taus[~np.isnan(taus)]
        return float(known.mean()) if known.size else None


def split_items(parts: Reals, n_splits: int, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """Means of candidates on random halves of the items.

    Parameters
    ----------
    parts : ndarray
        What each item ID adds to the candidates' means, shape ``(n_candidates, n_ids)``.
    n_splits : int
        Random splits.
    rng : numpy.random.Generator
        Source of the splits.

    Returns
    -------
    first, second : ndarray
        Means on the two halves, in the units of ``parts``, shape ``(n_splits, n_candidates)``.
    """
    n_ids = parts.shape[1]
    chosen = rng.permuted(np.tile(np.arange(n_ids) % 2, (n_splits, 1)), axis=1).astype(np.float64)
    return 2.0 * chosen @ parts.T, 2.0 * (1.0 - chosen) @ parts.T


def each_against_others(values: Reals) -> tuple[Reals, Reals]:
    """Each row (a train seed), and the mean of the other rows.

    Parameters
    ----------
    values : ndarray
        Shape ``(n_rows, n_candidates)``, at least two rows.

    Returns
    -------
    each, others : ndarray
        Shape ``(n_rows, n_candidates)``.
    """
    return values, (values.sum(axis=0) - values) / (len(values) - 1)


def mean_over_models(halves: Sequence[Halves]) -> Halves | None:
    """The means over models, for the candidates that all models have.

    Parameters
    ----------
    halves : sequence of Halves
        One per model.

    Returns
    -------
    Halves or None
        None for fewer than two common candidates, or where models have different numbers of splits.
    """
    if not halves or len({len(model.first) for model in halves}) > 1:
        return None
    names = tuple(name for name in halves[0].names if all(name in model.names for model in halves))
    if len(names) < 2:
        return None
    common = [model.select(names) for model in halves]
    return Halves(
        names=names,
        whole=np.mean([model.whole for model in common], axis=0),
        first=np.mean([model.first for model in common], axis=0),
        second=np.mean([model.second for model in common], axis=0),
        split=common[0].split,
    )
