"""Draws given a model's own deltas: they equal dense conditioning, and they are calibrated."""

import numpy as np
import pytest
from transfer_tables import CELLS, as_knowledge, draw_tables

from donorgrid.statistics.transfer_model import posterior
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.posterior import draw_deltas
from donorgrid.statistics.transfer_model.question import Measured, Question, scaled_prior
from donorgrid.statistics.transfer_model.similarity import Similarity

SOURCES = [{cell: 1.0} for cell in CELLS]


def question(measured: Measured | None = None) -> Question:
    return Question(sources=SOURCES, targets=CELLS, family="family-0", measured=measured)


def measured_rows(deltas: np.ndarray, sources: list[int], *, noise: float, baseline: float = 0.0) -> Measured:
    index = np.array([(source, target) for source in sources for target in range(len(CELLS))])
    return Measured(
        index=index,
        delta_pp=deltas[index[:, 0], index[:, 1]],
        noise_variance=np.full(len(index), noise),
        baseline_variance=np.full(len(CELLS), baseline),
    )


def test_conditioned_draws_have_the_mean_and_covariance_of_dense_conditioning() -> None:
    tables = draw_tables(4, seed=2)[1]
    model = fit_model(as_knowledge(tables[:3]), similarity=Similarity.none())
    prior = scaled_prior(model, question(), {part: np.exp(logs.mode) for part, logs in model.variances.items()})
    scales = np.linspace(0.5, 2.0, len(CELLS))
    covariance = posterior._Covariance(prior=prior, scales=scales)
    measured = measured_rows(tables[3], [0, 7], noise=0.3, baseline=0.2)
    everything = np.indices((len(CELLS), len(CELLS))).reshape(2, -1).T
    total = covariance.between(everything, everything)
    rows = measured.index[:, 0] * len(CELLS) + measured.index[:, 1]
    same_target = measured.index[:, 1][:, None] == measured.index[:, 1]
    noisy = total[np.ix_(rows, rows)] + 0.3 * np.eye(len(rows)) + 0.2 * same_target
    gain = np.linalg.solve(noisy, total[rows]).T
    mean = (prior.mean * scales).ravel() + gain @ (measured.delta_pp - (prior.mean * scales).ravel()[rows])
    variance = np.diag(total - gain @ total[rows])
    rng = np.random.default_rng(0)
    draws = posterior._conditioned(posterior._draw_prior(prior, 4000, rng) * scales, measured, covariance, rng)
    error = np.sqrt(variance / 4000)
    assert np.abs((draws.mean(axis=0).ravel() - mean) / error).max() < 5
    np.testing.assert_allclose(draws.reshape(4000, -1).var(axis=0), variance, rtol=0.15)


@pytest.mark.parametrize("n_own", [0, 3])
def test_intervals_hold_the_truth_as_often_as_they_say(n_own: int) -> None:
    inside = []
    for seed in range(6):
        truth, tables = draw_tables(5, seed=10 + seed)
        model = fit_model(as_knowledge(tables[:4]), similarity=Similarity.none())
        own = measured_rows(tables[4], [1, 6, 10][:n_own], noise=0.3) if n_own else None
        draws = draw_deltas(model, question(own), n_draws=320, seed=seed)
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        other = ~np.eye(len(CELLS), dtype=bool)
        inside.append(((truth[4] >= low) & (truth[4] <= high))[other].mean())
    assert 0.82 <= float(np.mean(inside)) <= 0.96


def test_own_deltas_narrow_what_the_knowledge_says() -> None:
    truth, tables = draw_tables(5, seed=3)
    model = fit_model(as_knowledge(tables[:4]), similarity=Similarity.none())
    alone = draw_deltas(model, question(), n_draws=160)
    informed = draw_deltas(model, question(measured_rows(tables[4], [1, 6, 10], noise=0.3)), n_draws=160)
    others = [index for index in range(len(CELLS)) if index not in (1, 6, 10)]
    errors = [np.sqrt(((draws.mean(axis=0) - truth[4])[others] ** 2).mean()) for draws in (alone, informed)]
    assert errors[1] < 0.8 * errors[0]
    assert informed.std(axis=0)[others].mean() < alone.std(axis=0)[others].mean()


def test_the_same_seed_gives_the_same_draws_and_every_count_is_kept() -> None:
    model: TransferModel = fit_model(as_knowledge(draw_tables(2, seed=4)[1]), similarity=Similarity.none())
    draws = draw_deltas(model, question(), n_draws=37, seed=5)
    assert draws.shape == (37, len(CELLS), len(CELLS))
    np.testing.assert_array_equal(draws, draw_deltas(model, question(), n_draws=37, seed=5))


@pytest.mark.parametrize("n_own", [0, 2])
def test_marginals_are_those_of_the_joint_draws(n_own: int) -> None:
    tables = draw_tables(4, seed=6)[1]
    model = fit_model(as_knowledge(tables[:3]), similarity=Similarity.none())
    asked = question(measured_rows(tables[3], [1, 6][:n_own], noise=0.3, baseline=0.1) if n_own else None)
    priors = posterior.draw_priors(model, asked, n_priors=64, rng=np.random.default_rng(1))
    rows = np.array([3, 8])
    cells = posterior.marginals(model, asked, priors, rows=rows, seed=2)
    draws = draw_deltas(model, asked, n_draws=6400, seed=3)[:, rows]
    sd = np.sqrt(cells.variance.mean(axis=0) + cells.mean.var(axis=0))
    np.testing.assert_allclose((cells.mean.mean(axis=0) - draws.mean(axis=0)) / sd, 0.0, atol=0.25)
    middle = np.quantile(draws, 0.8, axis=0) - np.quantile(draws, 0.2, axis=0)
    assert np.median(middle / sd) == pytest.approx(1.6, abs=0.25)
