"""True deltas of one model, given the knowledge and what was measured of the model itself: joint draws."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.drawn_scales import draw_scales
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.question import Measured, Question, ScaledPrior, scaled_prior

_FEW_OBSERVATIONS = 600
_VARIANCE_DRAWS, _VARIANCE_DRAWS_OF_MANY = 16, 6
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
    for part in np.array_split(np.arange(n_draws), n_variances):
        variances = {name: logs.draw(rng) for name, logs in model.variances.items()}
        prior = scaled_prior(model, question, variances)
        scales = draw_scales(model, question, prior=prior, rng=rng)
        drawn = _draw_prior(prior, len(part), rng) * scales
        if question.measured is not None:
            drawn = _conditioned(drawn, question.measured, _Covariance(prior=prior, scales=scales), rng)
        draws.append(drawn)
    return np.concatenate(draws)


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


def _conditioned(draws: Reals, measured: Measured, covariance: _Covariance, rng: np.random.Generator) -> Reals:
    """The draws, moved to what was measured (Matheron's rule): each by what it misses of it plus drawn noise."""
    _, n_sources, n_targets = draws.shape
    index, columns = measured.index, measured.index[:, 1]
    baseline = np.where(columns[:, None] == columns, measured.baseline_variance[columns], 0.0)
    noise = np.maximum(measured.noise_variance, _LEAST_NOISE)
    observed = covariance.between(index, index) + baseline + np.diag(noise)
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
