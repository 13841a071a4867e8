"""The fitted model of transfer, as data: ``fitting`` makes it of knowledge models, ``new_model`` predicts with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.scales import Scales
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.source_covariances import Adapters
from donorgrid.statistics.transfer_model.target_strata import TargetStrata
from donorgrid.statistics.transfer_model.trained_cells import TrainedCellGain
from donorgrid.statistics.transfer_model.variances import LogVariances


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
