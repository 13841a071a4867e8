"""The fitted model of transfer: knowledge models in, the prior of a new model out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.scales import Scales, fit_scales
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.source_covariances import Adapters, component_covariances
from donorgrid.statistics.transfer_model.target_strata import PARTS, TargetStrata, make_strata
from donorgrid.statistics.transfer_model.trained_cells import TrainedCellGain, fit_trained_cells
from donorgrid.statistics.transfer_model.variances import Contrasts, LogVariances, fit_log_variances

_LEAST_NOISE = 1e-3


@dataclass(frozen=True, kw_only=True)
class TransferModel:
    """A fitted model of transfer.

    Attributes
    ----------
    knowledge : Knowledge
        What it was fitted to.
    scales : Scales
        Scales of models and targets.
    similarity : Similarity
        Of languages.
    strata : TargetStrata
        The contrasts of the targets.
    adapters : Adapters
        The measured (model, source) pairs.
    scaled : ndarray
        Their deltas divided by their scales, holes filled, shape ``(n_adapters, n_targets)``.
    noise : ndarray
        Variance of their noise, scaled, shape ``(n_adapters,)``.
    variances : mapping of str to LogVariances
        For each part of the targets.
    trained_cells : mapping of str to TrainedCellGain
        By task, what training on a target itself adds.
    """

    knowledge: Knowledge
    scales: Scales
    similarity: Similarity
    strata: TargetStrata
    adapters: Adapters
    scaled: Reals
    noise: Reals
    variances: Mapping[str, LogVariances]
    trained_cells: Mapping[str, TrainedCellGain]


def fit_model(
    knowledge: Knowledge, *, similarity: Similarity, prior_means: Mapping[str, Reals] | None = None
) -> TransferModel:
    """Fit scales and variances to the tables of the knowledge models.

    Parameters
    ----------
    knowledge : Knowledge
        At least one model.
    similarity : Similarity
        Of languages.
    prior_means : mapping of str to ndarray, optional
        Prior means of the log variances of each part of the targets, shape ``(n_components,)``.

    Returns
    -------
    TransferModel
    """
    scales = fit_scales(knowledge)
    deltas = np.where(knowledge.is_trained_cell[None], np.nan, knowledge.delta_pp / scales.of_grid())
    models, sources = np.nonzero(np.isfinite(deltas).any(axis=2))
    adapters = Adapters(
        models=tuple(knowledge.models[index] for index in models),
        families=tuple(knowledge.families[index] for index in models),
        sources=tuple({knowledge.sources[index]: 1.0} for index in sources),
    )
    strata = make_strata(knowledge.tasks, knowledge.languages, similarity=similarity)
    filled = np.full_like(deltas, np.nan)
    for index in range(len(deltas)):
        measured = sources[models == index]
        filled[index, measured] = _fill_holes(deltas[index, measured])
    scaled = filled[models, sources]
    noise = _noise_of_models(knowledge, scales)[models]
    covariances = component_covariances(adapters, adapters, similarity)
    return TransferModel(
        knowledge=knowledge,
        scales=scales,
        similarity=similarity,
        strata=strata,
        adapters=adapters,
        scaled=scaled,
        noise=noise,
        variances=_fit_parts(scaled, strata, covariances=covariances, noise=noise, prior_means=prior_means or {}),
        trained_cells=fit_trained_cells(knowledge, scales, filled),
    )


def _fill_holes(deltas: Reals) -> Reals:
    """Fills what was not measured, and trained cells, by the sum of its source's and its target's mean."""
    known = np.isfinite(deltas)
    overall = deltas[known].mean()
    by_source = np.where(known, deltas - overall, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    rest = np.where(known, deltas - overall - by_source[:, None], 0.0)
    by_target = rest.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, deltas, overall + by_source[:, None] + by_target)


def _noise_of_models(knowledge: Knowledge, scales: Scales) -> Reals:
    """The mean scaled noise of each model, shape ``(n_models,)``; where it is unknown, the mean of the others."""
    scaled = knowledge.noise_variance / scales.of_grid() ** 2
    known = np.isfinite(scaled)
    n = known.sum(axis=(1, 2))
    means = np.where(known, scaled, 0.0).sum(axis=(1, 2)) / np.maximum(n, 1)
    typical = float(means[n > 0].mean()) if (n > 0).any() else 0.0
    return np.maximum(np.where(n > 0, means, typical), _LEAST_NOISE)


def _fit_parts(
    scaled: Reals, strata: TargetStrata, *, covariances: Reals, noise: Reals, prior_means: Mapping[str, Reals]
) -> dict[str, LogVariances]:
    """The variances of each part of the targets that the grid has contrasts of."""
    variances = {}
    for part in PARTS:
        contrasts = [
            Contrasts(values=scaled @ stratum.contrasts, size=stratum.size, noise=noise)
            for stratum in strata.strata
            if stratum.part == part
        ]
        if contrasts:
            variances[part] = fit_log_variances(contrasts, covariances, prior_means.get(part))
    return variances
