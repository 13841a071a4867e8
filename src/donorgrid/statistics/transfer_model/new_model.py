"""What the knowledge models say of a new one, before any adapter of it was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.source_covariances import Adapters, SourceParts, component_covariances
from donorgrid.statistics.transfer_model.target_strata import PARTS


@dataclass(frozen=True, kw_only=True)
class NewModelPrior:
    """The scaled deltas of a new model, given the knowledge models and one draw of the variances.

    The covariance of (source, target) and (source', target') is the sum over strata of ``sources[k][s, s'] *
    targets[k][t, t']``.

    Attributes
    ----------
    mean : ndarray
        Shape ``(n_sources, n_targets)``.
    source_covariances : list of ndarray
        One per stratum, shape ``(n_sources, n_sources)``.
    target_covariances : list of ndarray
        One per stratum, shape ``(n_targets, n_targets)``.
    """

    mean: Reals
    source_covariances: list[Reals]
    target_covariances: list[Reals]

    def variance(self) -> Reals:
        """Variances, shape ``(n_sources, n_targets)``."""
        pairs = zip(self.source_covariances, self.target_covariances, strict=True)
        return np.asarray(sum(np.outer(np.diag(source), np.diag(target)) for source, target in pairs))

    def covariance(self, rows: np.ndarray, columns: np.ndarray) -> Reals:
        """Covariances of pairs.

        Parameters
        ----------
        rows, columns : ndarray
            Indices of (source, target), shape ``(n, 2)``.

        Returns
        -------
        ndarray
            Shape ``(n_rows, n_columns)``.
        """
        (sources, row), (other_sources, column) = (_levels(pairs[:, 0]) for pairs in (rows, columns))
        (targets, row_target), (other_targets, column_target) = (_levels(pairs[:, 1]) for pairs in (rows, columns))
        left = np.array([matrix[np.ix_(sources, other_sources)].ravel() for matrix in self.source_covariances])
        right = np.array([matrix[np.ix_(targets, other_targets)].ravel() for matrix in self.target_covariances])
        total = (left.T @ right).reshape(len(sources), len(other_sources), len(targets), len(other_targets))
        return np.asarray(total[row[:, None], column, row_target[:, None], column_target])


def prior_of_new_model(
    model: TransferModel,
    sources: Sequence[SourceParts],
    targets: Sequence[Cell],
    *,
    family: str,
    variances: dict[str, Reals],
) -> NewModelPrior:
    """Predict a model that the knowledge does not hold.

    Parameters
    ----------
    model : TransferModel
        Fitted to the knowledge.
    sources : sequence of SourceParts
        What it may be trained on.
    targets : sequence of Cell
        Where it is measured; languages and tasks that the knowledge has not are predicted by their similarity.
    family : str
        Its family; one that no knowledge model has tells nothing more.
    variances : dict of str to ndarray
        For each part of the targets, shape ``(n_components,)``: the mode or a draw.

    Returns
    -------
    NewModelPrior
    """
    n = len(sources)
    adapters = Adapters(
        models=("the new model",) * n,
        families=(family,) * n,
        sources=tuple(sources),
        source_scales=model.scales.source_tasks,
    )
    known = component_covariances(model.adapters, model.adapters, model.similarity)
    cross = component_covariances(adapters, model.adapters, model.similarity)
    within = component_covariances(adapters, adapters, model.similarity)
    coordinates, unexplained = model.strata.coordinates(targets)
    mean = np.zeros((n, len(targets)))
    source_covariances, target_covariances = [], []
    for stratum, loadings in zip(model.strata.strata, coordinates, strict=True):
        sizes = variances[stratum.part] * stratum.size
        left = np.tensordot(sizes, within, axes=1)
        if len(model.adapters):
            factor = cho_factor(np.tensordot(sizes, known, axes=1) + np.diag(model.noise), lower=True)
            shared = np.tensordot(sizes, cross, axes=1)
            mean += shared @ cho_solve(factor, model.scaled @ stratum.contrasts) @ loadings.T
            left = left - shared @ cho_solve(factor, shared.T)
        source_covariances.append((left + left.T) / 2)
        target_covariances.append(loadings @ loadings.T)
    for part, free in zip(PARTS, unexplained, strict=True):
        if part in variances and free.any():
            source_covariances.append(np.tensordot(variances[part], within, axes=1))
            target_covariances.append(np.diag(free))
    return NewModelPrior(mean=mean, source_covariances=source_covariances, target_covariances=target_covariances)


def _levels(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different indices, and the number of each entry among them."""
    levels, inverse = np.unique(indices, return_inverse=True)
    return levels, inverse
