"""True deltas of one model, given the knowledge and what was measured of the model itself: joint draws, marginals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.drawn_scales import draw_scales
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.question import Measured, Question, ScaledPrior, scaled_prior

_FEW_OBSERVATIONS = 600
_VARIANCE_DRAWS, _VARIANCE_DRAWS_OF_MANY = 16, 6
_SCALES_PER_PRIOR = 8
_LEAST_NOISE = 1e-6


def draw_deltas(model: TransferModel, question: Question, *, n_draws: int, seed: int = 0) -> Reals:
    """Joint draws of the model's true deltas.

    Variances, the model's scale and each target's scale are drawn as well, so the draws are a mixture with longer tails
    than a normal distribution.

    Parameters
    ----------
    model : TransferModel
        Fitted to models other than the one in question.
    question : Question
        Sources, targets and what was measured.
    n_draws : int
        At least 1.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray
        In pp, shape ``(n_draws, n_sources, n_targets)``.
    """
    rng = np.random.default_rng(seed)
    many = question.measured is not None and len(question.measured.index) > _FEW_OBSERVATIONS
    n_variances = min(n_draws, _VARIANCE_DRAWS_OF_MANY if many else _VARIANCE_DRAWS)
    draws = []
    priors = draw_priors(model, question, n_priors=n_variances, rng=rng)
    for part, prior in zip(np.array_split(np.arange(n_draws), n_variances), priors, strict=True):
        drawn = _draw_prior(prior, len(part), rng)
        if question.measured is None:
            scales = np.array([draw_scales(model, question, prior=prior, rng=rng) for _ in part])[:, None, :]
            draws.append(drawn * scales)
            continue
        scales = draw_scales(model, question, prior=prior, rng=rng)
        covariance = _Covariance(prior=prior, scales=scales)
        draws.append(_conditioned(drawn * scales, question.measured, covariance, rng))
    return np.concatenate(draws)


def draw_priors(
    model: TransferModel, question: Question, *, n_priors: int, rng: np.random.Generator
) -> list[ScaledPrior]:
    """Priors under draws of the variances; what was measured does not enter, so they serve several questions.

    Parameters
    ----------
    model : TransferModel
        Fitted to models other than the one in question.
    question : Question
        Sources, targets and family.
    n_priors : int
        At least 1.
    rng : Generator
        Of the draws.

    Returns
    -------
    list of ScaledPrior
    """
    drawn = [{name: logs.draw(rng) for name, logs in model.variances.items()} for _ in range(n_priors)]
    return [scaled_prior(model, question, variances) for variances in drawn]


@dataclass(frozen=True, kw_only=True)
class Marginals:
    """The true delta of each cell as an even mixture of normal distributions, without drawing deltas.

    Attributes
    ----------
    mean, variance : ndarray
        In pp and squared pp, shape ``(n_components, n_rows, n_targets)``.
    """

    mean: Reals
    variance: Reals


def marginals(
    model: TransferModel, question: Question, priors: Sequence[ScaledPrior], *, rows: np.ndarray, seed: int = 0
) -> Marginals:
    """The distribution of each cell's true delta; each component has a prior and drawn scales.

    Without deltas of the model itself scales are all that its size is known by, so every prior has several.

    Parameters
    ----------
    model : TransferModel
        Fitted to models other than the one in question.
    question : Question
        Sources, targets and what was measured.
    priors : sequence of ScaledPrior
        As ``draw_priors`` gives them for the same sources and targets.
    rows : ndarray of int
        Indices of the sources that are wanted.
    seed : int
        Of the scales.

    Returns
    -------
    Marginals
    """
    rng = np.random.default_rng(seed)
    means, variances = [], []
    n_scales = _SCALES_PER_PRIOR if question.measured is None else 1
    for prior in (prior for prior in priors for _ in range(n_scales)):
        scales = draw_scales(model, question, prior=prior, rng=rng)
        mean, variance = prior.mean[rows] * scales, prior.variance()[rows] * scales**2
        if question.measured is not None:
            moved, known = _moved(question.measured, _Covariance(prior=prior, scales=scales), rows)
            mean, variance = mean + moved, np.maximum(variance - known, 0.0)
        means.append(mean)
        variances.append(variance)
    return Marginals(mean=np.array(means), variance=np.array(variances))


def _moved(measured: Measured, covariance: "_Covariance", rows: np.ndarray) -> tuple[Reals, Reals]:
    """What measured deltas add to the means of some sources' cells, and what they take off the variances."""
    prior, index = covariance.prior, measured.index
    n_targets = prior.mean.shape[1]
    cells = np.indices((len(rows), n_targets)).reshape(2, -1).T
    cells[:, 0] = rows[cells[:, 0]]
    factor, _ = cho_factor(covariance.of_measured(measured), lower=True)
    missed = measured.delta_pp - prior.mean[index[:, 0], index[:, 1]] * covariance.scales[index[:, 1]]
    whitened = solve_triangular(factor, covariance.between(index, cells), lower=True)
    moves = solve_triangular(factor, missed, lower=True) @ whitened
    return moves.reshape(len(rows), n_targets), (whitened**2).sum(axis=0).reshape(len(rows), n_targets)


def _draw_prior(prior: ScaledPrior, n_draws: int, rng: np.random.Generator) -> Reals:
    """Draws of the scaled deltas, shape ``(n_draws, n_sources, n_targets)``."""
    shape = (n_draws, *prior.mean.shape)
    draws = prior.mean + np.sqrt(prior.free_variance) * rng.standard_normal(shape)
    transfer = prior.transfer
    for source, target in zip(transfer.source_covariances, transfer.target_covariances, strict=True):
        draws = draws + _root(source) @ rng.standard_normal(shape) @ _root(target).T
    return draws


@dataclass(frozen=True, kw_only=True)
class _Covariance:
    """Covariances of deltas in pp, at fixed scales."""

    prior: ScaledPrior
    scales: Reals

    def between(self, rows: np.ndarray, columns: np.ndarray) -> Reals:
        """Of (source, target) pairs, shape ``(n_rows, n_columns)``."""
        scaled = self.prior.transfer.covariance(rows, columns)
        same = (rows[:, None, :] == columns[None, :, :]).all(axis=2)
        scaled += same * self.prior.free_variance[columns[:, 0], columns[:, 1]]
        return np.asarray(scaled * self.scales[rows[:, 1], None] * self.scales[columns[:, 1]])

    def of_measured(self, measured: Measured) -> Reals:
        """Of measured deltas with their noise, shape ``(n, n)``."""
        columns = measured.index[:, 1]
        baseline = np.where(columns[:, None] == columns, measured.baseline_variance[columns], 0.0)
        noise = np.diag(np.maximum(measured.noise_variance, _LEAST_NOISE))
        return np.asarray(self.between(measured.index, measured.index) + baseline + noise)


def _conditioned(draws: Reals, measured: Measured, covariance: _Covariance, rng: np.random.Generator) -> Reals:
    """The draws, moved to what was measured (Matheron's rule): each by what it misses of it plus drawn noise."""
    _, n_sources, n_targets = draws.shape
    index, columns = measured.index, measured.index[:, 1]
    noise = np.maximum(measured.noise_variance, _LEAST_NOISE)
    observed = covariance.of_measured(measured)
    luck = rng.standard_normal((len(draws), n_targets)) * np.sqrt(measured.baseline_variance)
    errors = rng.standard_normal((len(draws), len(index))) * np.sqrt(noise)
    missed = measured.delta_pp - (draws[:, index[:, 0], columns] + luck[:, columns] + errors)
    everything = np.indices((n_sources, n_targets)).reshape(2, -1).T
    moves = covariance.between(everything, index) @ cho_solve(cho_factor(observed, lower=True), missed.T)
    return draws + moves.T.reshape(draws.shape)


def _root(covariance: Reals) -> Reals:
    """A square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
