"""What is asked of one model, and what the knowledge says of it before and beside its own measurements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.new_model import NewModelPrior, prior_of_new_model
from donorgrid.statistics.transfer_model.source_covariances import COMPONENTS, SourceParts
from donorgrid.statistics.transfer_model.trained_cells import gain_of


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Deltas that were measured of the model itself.

    Attributes
    ----------
    index : ndarray
        (source, target) of each, shape ``(n, 2)``, as the question numbers them.
    delta_pp : ndarray
        Shape ``(n,)``.
    noise_variance : ndarray
        Of items and runs, in squared pp, shape ``(n,)``.
    baseline_variance : ndarray
        Variance that all sources of a target share through its baseline, in squared pp, shape ``(n_targets,)``.
    """

    index: np.ndarray
    delta_pp: Reals
    noise_variance: Reals
    baseline_variance: Reals


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of one model.

    Attributes
    ----------
    sources : sequence of SourceParts
        What it may be trained on.
    targets : sequence of Cell
        Where its deltas are wanted; targets that were measured belong to them.
    family : str
        Its family.
    measured : Measured, optional
        Deltas of its own adapters.
    """

    sources: Sequence[SourceParts]
    targets: Sequence[Cell]
    family: str
    measured: Measured | None = None


@dataclass(frozen=True, kw_only=True)
class ScaledPrior:
    """Scaled deltas of the model in question, given the knowledge and one draw of the variances.

    Attributes
    ----------
    transfer : NewModelPrior
        Without what trained cells add.
    mean : ndarray
        With it, shape ``(n_sources, n_targets)``.
    free_variance : ndarray
        Variance that no other delta shares, same shape: of what trained cells add, and of how far a mix departs from
        the weighted sum of its cells.
    """

    transfer: NewModelPrior
    mean: Reals
    free_variance: Reals

    def variance(self) -> Reals:
        """Variances, shape ``(n_sources, n_targets)``."""
        return self.transfer.variance() + self.free_variance


def scaled_prior(model: TransferModel, question: Question, variances: dict[str, Reals]) -> ScaledPrior:
    """The prior with the gain of trained cells, of which a mix has its cells' share.

    A mix departs from the weighted sum w of its cells by a variance of (1 - sum of w^2) times that of a model's cell.

    Parameters
    ----------
    model : TransferModel
        Fitted to the knowledge.
    question : Question
        Sources, targets and family.
    variances : dict of str to ndarray
        For each part of the targets, shape ``(n_components,)``.

    Returns
    -------
    ScaledPrior
    """
    transfer = prior_of_new_model(
        model, question.sources, question.targets, family=question.family, variances=variances
    )
    shares = np.array([[source.get(target, 0.0) for target in question.targets] for source in question.sources])
    gains = [gain_of(model.trained_cells, cell.task) for cell in question.targets]
    means, spreads = np.array([gain.mean for gain in gains]), np.array([gain.variance for gain in gains])
    single = np.array([[sum(weight**2 for weight in source.values())] for source in question.sources])
    departure = (1.0 - single) * _cell_variance(model, question.targets, variances)
    return ScaledPrior(
        transfer=transfer, mean=transfer.mean + shares * means, free_variance=shares**2 * spreads + departure
    )


def _cell_variance(model: TransferModel, targets: Sequence[Cell], variances: dict[str, Reals]) -> Reals:
    """The variance of the part of a delta that one source cell has to itself in one model, shape ``(n_targets,)``."""
    coordinates, _ = model.strata.coordinates(targets)
    component = COMPONENTS.index(("model", "cell"))
    return np.asarray(
        sum(
            variances[stratum.part][component] * stratum.size * (loadings**2).sum(axis=1)
            for stratum, loadings in zip(model.strata.strata, coordinates, strict=True)
        )
    )
