"""Fits the model of transfer: knowledge models in, the prior of a new model out."""

from collections.abc import Mapping

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.scale_spread import with_true_spread
from donorgrid.statistics.transfer_model.scales import Scales, fit_scales
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.source_covariances import Adapters, component_covariances
from donorgrid.statistics.transfer_model.target_strata import PARTS, TargetStrata, make_strata
from donorgrid.statistics.transfer_model.trained_cells import fit_trained_cells
from donorgrid.statistics.transfer_model.variances import Contrasts, LogVariances, fit_log_variances

_LEAST_NOISE = 1e-3


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
        source_scales=scales.source_tasks,
    )
    strata = make_strata(knowledge.tasks, knowledge.languages, similarity=similarity)
    filled = np.full_like(deltas, np.nan)
    for index in range(len(deltas)):
        measured = sources[models == index]
        filled[index, measured] = _fill_holes(deltas[index, measured])
    scaled = filled[models, sources]
    noise = _noise_of_adapters(knowledge, scales)[models, sources]
    covariances = component_covariances(adapters, adapters, similarity)
    fitted = TransferModel(
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
    return with_true_spread(fitted)


def _fill_holes(deltas: Reals) -> Reals:
    """Fills what was not measured, and trained cells, by the sum of its source's and its target's mean."""
    known = np.isfinite(deltas)
    overall = deltas[known].mean()
    by_source = np.where(known, deltas - overall, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    rest = np.where(known, deltas - overall - by_source[:, None], 0.0)
    by_target = rest.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, deltas, overall + by_source[:, None] + by_target)


def _noise_of_adapters(knowledge: Knowledge, scales: Scales) -> Reals:
    """The mean scaled noise of each adapter over targets, shape ``(n_models, n_sources)``.

    Where it is unknown, it is that of the same source in other models, else the mean of all.
    """
    scaled = knowledge.noise_variance / scales.of_grid() ** 2
    means = _mean_of_known(scaled, axis=2)
    by_source = _mean_of_known(means, axis=0)
    typical = float(means[np.isfinite(means)].mean()) if np.isfinite(means).any() else 0.0
    filled = np.where(np.isfinite(means), means, by_source)
    return np.maximum(np.where(np.isfinite(filled), filled, typical), _LEAST_NOISE)


def _mean_of_known(values: Reals, *, axis: int) -> Reals:
    """The mean over what is not NaN; NaN where everything is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(known.any(axis=axis), total / np.maximum(known.sum(axis=axis), 1), np.nan)


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
