"""How far scales differ between models and targets, less what tables of equal scales would show by themselves.

The standard deviation of a target over a few kinds of sources is a rough estimate. Tables that are drawn from the
fitted Gaussian terms with equal scales show how rough: their spread is taken off the measured one.
"""

from dataclasses import replace

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.scales import Scales, fit_scales
from donorgrid.statistics.transfer_model.source_covariances import component_covariances

_N_TABLES = 24
_LEAST_VARIANCE = 0.02
_MOST_DEGREES = 30.0


def with_true_spread(model: TransferModel) -> TransferModel:
    """Returns the model with spreads of its scales that leave out what equal scales would show."""
    if len(model.knowledge.models) < 2:
        return model
    chance = [_variances(fit_scales(replace(model.knowledge, delta_pp=table))) for table in _drawn_tables(model)]
    by_chance = {name: float(np.mean([part[name] for part in chance])) for name in chance[0]}
    left = {name: max(value - by_chance[name], _LEAST_VARIANCE) for name, value in _variances(model.scales).items()}
    scales = replace(
        model.scales,
        model_log_sd=float(np.sqrt(left.pop("model"))),
        degrees=min(1 / (2 * left.pop("target")), _MOST_DEGREES),
        task_log_sd={task: float(np.sqrt(value)) for task, value in left.items()},
    )
    return replace(model, scales=scales)


def _variances(scales: Scales) -> dict[str, float]:
    """Log-scale variances: between models, of a target, and by task (under the task's name)."""
    between = {"model": scales.model_log_sd**2, "target": 1 / (2 * scales.degrees)}
    return between | {task: sd**2 for task, sd in scales.task_log_sd.items()}


def _drawn_tables(model: TransferModel) -> list[Reals]:
    """Tables of the knowledge models in pp, all of the same scale; NaN where nothing was measured."""
    rng = np.random.default_rng(0)
    covariances = component_covariances(model.adapters, model.adapters, model.similarity)
    roots = []
    for stratum in model.strata.strata:
        sizes = np.exp(model.variances[stratum.part].mode) * stratum.size
        values, vectors = np.linalg.eigh(np.tensordot(sizes, covariances, axes=1))
        roots.append(vectors * np.sqrt(np.maximum(values, 0.0)))
    knowledge, scales = model.knowledge, model.scales.of_grid()
    at = _adapter_index(model)
    tables = []
    for _ in range(_N_TABLES):
        scaled = np.sqrt(model.noise)[:, None] * rng.standard_normal(model.scaled.shape)
        for stratum, root in zip(model.strata.strata, roots, strict=True):
            scaled += root @ rng.standard_normal((len(root), stratum.contrasts.shape[1])) @ stratum.contrasts.T
        table = np.full_like(knowledge.delta_pp, np.nan)
        table[at] = scaled
        tables.append(np.where(np.isfinite(knowledge.delta_pp), table * scales, np.nan))
    return tables


def _adapter_index(model: TransferModel) -> tuple[np.ndarray, np.ndarray]:
    """Model and source of each adapter."""
    names, cells = model.knowledge.models, model.knowledge.sources
    sources = [next(iter(parts)) for parts in model.adapters.sources]
    return (
        np.array([names.index(name) for name in model.adapters.models]),
        np.array([cells.index(cell) for cell in sources]),
    )
