"""True deltas of one model, given the knowledge and what was measured of the model itself: joint draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.new_model import NewModelPrior, prior_of_new_model
from donorgrid.statistics.transfer_model.own_cells import gain_of
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

_FEW_OBSERVATIONS = 600
_VARIANCE_DRAWS, _VARIANCE_DRAWS_OF_MANY = 16, 6
_ROWS_PER_DEGREE = 4.0
_SHARE_PER_SOURCE = 0.7
"""A target's deltas from several sources share its mean, so each counts less than one degree of freedom."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Deltas that were measured of the model itself.

    Attributes
    ----------
    index : ndarray
        (source, target) of each, shape ``(n, 2)``, as the sources and targets of the question are numbered.
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
    """What is asked of one model: which sources, which targets, and what is known of the model."""

    sources: Sequence[SourceParts]
    targets: Sequence[Cell]
    family: str
    measured: Measured | None = None


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
        At least 2; rounded up to a multiple of the draws of the variances.
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
    per_draw = -(-n_draws // n_variances)
    targets = target_scales(model, question.targets)
    draws = []
    for _ in range(n_variances):
        variances = {part: logs.draw(rng) for part, logs in model.variances.items()}
        prior = _with_own_cells(model, question, variances)
        scales = targets * _draw_scales(model, question, prior=prior, targets=targets, rng=rng)
        draws.append(_draw_given(prior, question, scales=scales, n_draws=per_draw, rng=rng))
    return np.concatenate(draws)[:n_draws]


def target_scales(model: TransferModel, targets: Sequence[Cell]) -> Reals:
    """The scales g_t of targets; one that was not measured has the mean of its task, else of all. Shape ``(n,)``."""
    logs = dict(zip(model.knowledge.targets, np.log(model.scales.targets), strict=True))
    by_task: dict[str, list[float]] = {}
    for cell, value in logs.items():
        by_task.setdefault(cell.task, []).append(float(value))
    typical = {task: float(np.mean(values)) for task, values in by_task.items()}
    return np.exp([logs.get(cell, typical.get(cell.task, 0.0)) for cell in targets])


@dataclass(frozen=True, kw_only=True)
class _Prior:
    """The prior with the gain of own cells: scaled means and variances beside the shared covariances."""

    shared: NewModelPrior
    mean: Reals
    own_variance: Reals


def _with_own_cells(model: TransferModel, question: Question, variances: dict[str, Reals]) -> _Prior:
    shared = prior_of_new_model(
        model, question.sources, question.targets, family=question.family, variances=variances
    )
    own = np.array([[source.get(target, 0.0) for target in question.targets] for source in question.sources])
    gains = [gain_of(model.own_cells, cell.task) for cell in question.targets]
    means, spreads = np.array([gain.mean for gain in gains]), np.array([gain.variance for gain in gains])
    return _Prior(shared=shared, mean=shared.mean + own * means, own_variance=own**2 * spreads)


def _draw_scales(
    model: TransferModel, question: Question, *, prior: _Prior, targets: Reals, rng: np.random.Generator
) -> Reals:
    """Draws a_m c_t: the model's scale, and how far each target of it departs from a_m g_t; shape ``(n_targets,)``."""
    centre = float(np.log(model.scales.models).mean())
    variance = model.scales.model_log_sd**2 * (1 + 1 / len(model.scales.models))
    degrees = np.full(len(targets), model.scales.degrees)
    ratios = np.ones(len(targets))
    measured = question.measured
    if measured is not None:
        rows, columns = measured.index.T
        expected = (prior.shared.variance() + prior.own_variance + prior.mean**2)[rows, columns]
        noise = (measured.noise_variance + measured.baseline_variance[columns]) / targets[columns] ** 2
        squares = np.maximum((measured.delta_pp / targets[columns]) ** 2 - noise, 0.0)
        estimate = 0.5 * np.log(max(float(squares.mean() / expected.mean()), 1e-3))
        error = 1.0 / (2.0 * max(1.0, _ROWS_PER_DEGREE * len(set(rows))))
        weight = variance / (variance + error)
        centre, variance = centre + weight * (estimate - centre), variance * (1 - weight)
        deviations = (measured.delta_pp / targets[columns] - np.exp(centre) * prior.mean[rows, columns]) ** 2
        spread = np.exp(2 * centre) * (expected - prior.mean[rows, columns] ** 2) + noise
        n = np.bincount(columns, minlength=len(targets))
        mean_square = np.bincount(columns, weights=deviations / spread, minlength=len(targets)) / np.maximum(n, 1)
        extra = _SHARE_PER_SOURCE * n
        ratios = (degrees + extra * np.where(n > 0, mean_square, 1.0)) / (degrees + extra)
        degrees = degrees + extra
    model_scale = np.exp(centre + np.sqrt(variance) * rng.standard_normal())
    return np.asarray(model_scale * np.sqrt(ratios * degrees / rng.chisquare(degrees)))


def _draw_given(
    prior: _Prior, question: Question, *, scales: Reals, n_draws: int, rng: np.random.Generator
) -> Reals:
    """Draws of the deltas in pp at fixed scales, by conditioning draws of the prior (Matheron's rule)."""
    n_sources, n_targets = prior.mean.shape
    draws = np.broadcast_to(prior.mean, (n_draws, n_sources, n_targets)).copy()
    for source, target in zip(prior.shared.source_covariances, prior.shared.target_covariances, strict=True):
        noise = rng.standard_normal((n_draws, n_sources, n_targets))
        draws += _root(source) @ noise @ _root(target).T
    draws += np.sqrt(prior.own_variance) * rng.standard_normal(draws.shape)
    draws *= scales
    measured = question.measured
    if measured is None:
        return draws
    index = measured.index
    everything = np.stack(np.meshgrid(np.arange(n_sources), np.arange(n_targets), indexing="ij"), axis=-1).reshape(-1, 2)
    cross = prior.shared.covariance(everything, index) * scales[everything[:, 1], None] * scales[index[:, 1]]
    same = (everything[:, None, :] == index[None, :, :]).all(axis=2)
    cross += same * (prior.own_variance * scales**2)[index[:, 0], index[:, 1]]
    observed_rows = index[:, 0] * n_targets + index[:, 1]
    shared_baseline = np.where(
        index[:, None, 1] == index[None, :, 1], measured.baseline_variance[index[:, 1]][:, None], 0.0
    )
    covariance = cross[observed_rows] + shared_baseline + np.diag(np.maximum(measured.noise_variance, 1e-6))
    baseline = rng.standard_normal((n_draws, n_targets)) * np.sqrt(measured.baseline_variance)
    errors = rng.standard_normal((n_draws, len(index))) * np.sqrt(measured.noise_variance)
    predicted = draws[:, index[:, 0], index[:, 1]] + baseline[:, index[:, 1]] + errors
    correction = cross @ cho_solve(cho_factor(covariance, lower=True), (measured.delta_pp - predicted).T)
    return draws + correction.T.reshape(draws.shape)


def _root(covariance: Reals) -> Reals:
    """A square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
