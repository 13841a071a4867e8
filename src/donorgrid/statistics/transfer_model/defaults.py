"""A model without knowledge: variances and scales that other models had on average, as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.scales import Scales
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.source_covariances import Adapters
from donorgrid.statistics.transfer_model.target_strata import PARTS, make_strata
from donorgrid.statistics.transfer_model.trained_cells import TrainedCellGain
from donorgrid.statistics.transfer_model.variances import LogVariances


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a fitted model leaves when its tables are taken away.

    Attributes
    ----------
    models : tuple of str
        The models that it was fitted to.
    log_variances : mapping of str to ndarray
        For each part of the targets, shape ``(n_components,)``.
    log_variance_sd : mapping of str to ndarray
        Their standard deviations, same shape.
    log_scale, log_scale_sd : float
        Mean and standard deviation of the logarithm of a model's scale in pp.
    degrees : float
        Degrees of freedom of a target's departure from its scale.
    task_log_sd : float
        Spread between models of how far a task's targets depart together, on the log scale.
    trained_gain, trained_gain_variance : float
        The scaled gain of a trained cell.
    """

    models: tuple[str, ...]
    log_variances: Mapping[str, Reals]
    log_variance_sd: Mapping[str, Reals]
    log_scale: float
    log_scale_sd: float
    degrees: float
    task_log_sd: float
    trained_gain: float
    trained_gain_variance: float


def defaults_of(model: TransferModel) -> Defaults:
    """Returns the defaults that a fitted model leaves."""
    gain = model.trained_cells[""]
    return Defaults(
        models=model.knowledge.models,
        log_variances={part: logs.mode for part, logs in model.variances.items()},
        log_variance_sd={part: np.sqrt((logs.factor**2).sum(axis=1)) for part, logs in model.variances.items()},
        log_scale=float(np.log(model.scales.models).mean()),
        log_scale_sd=model.scales.model_log_sd,
        degrees=model.scales.degrees,
        task_log_sd=float(np.sqrt(np.mean(np.square(list(model.scales.task_log_sd.values()))))),
        trained_gain=gain.mean,
        trained_gain_variance=gain.variance,
    )


def model_from_defaults(defaults: Defaults, targets: Sequence[Cell], *, similarity: Similarity) -> TransferModel:
    """A model that knows no table.

    Parameters
    ----------
    defaults : Defaults
        Variances and scales.
    targets : sequence of Cell
        The targets in question; the grid is the product of their tasks and languages.
    similarity : Similarity
        Of languages.

    Returns
    -------
    TransferModel
        Of no adapter; all targets have the same scale.
    """
    tasks, languages = sorted({cell.task for cell in targets}), sorted({cell.language for cell in targets})
    grid = tuple(Cell(task=task, language=language) for task, language in product(tasks, languages))
    nothing = np.zeros((0, 0, len(grid)))
    return TransferModel(
        knowledge=Knowledge(models=(), families=(), sources=(), targets=grid, delta_pp=nothing, noise_variance=nothing),
        scales=Scales(
            models=np.exp([defaults.log_scale]),
            targets=np.ones(len(grid)),
            model_log_sd=defaults.log_scale_sd,
            degrees=defaults.degrees,
            task_log_sd=dict.fromkeys(tasks, defaults.task_log_sd),
        ),
        similarity=similarity,
        strata=make_strata(tasks, languages, similarity=similarity),
        adapters=Adapters(models=(), families=(), sources=()),
        scaled=np.zeros((0, len(grid))),
        noise=np.zeros(0),
        variances={
            part: LogVariances(mode=defaults.log_variances[part], factor=np.diag(defaults.log_variance_sd[part]))
            for part in PARTS
        },
        trained_cells={"": TrainedCellGain(mean=defaults.trained_gain, variance=defaults.trained_gain_variance)},
    )
