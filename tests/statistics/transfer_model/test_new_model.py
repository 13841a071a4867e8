"""The prior of a new model equals dense Gaussian regression over every delta of every knowledge model."""

import numpy as np
import pytest
from transfer_tables import CELLS, as_knowledge, draw_tables, same

from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.new_model import prior_of_new_model
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.target_strata import PARTS


@pytest.fixture(scope="module")
def model() -> TransferModel:
    return fit_model(as_knowledge(draw_tables(3, seed=1)[1]), similarity=Similarity.none())


def dense_prior(model: TransferModel, family: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the new model's 144 deltas, from the joint covariance of all four models' deltas."""
    n = len(CELLS)
    families = [*model.knowledge.families, family]
    strata = {part: np.zeros((n, n)) for part in PARTS}
    for stratum in model.strata.strata:
        strata[stratum.part] += stratum.size * stratum.contrasts @ stratum.contrasts.T
    reaches = [
        np.ones((4, 4)),
        np.array([[float(a == b) for b in families] for a in families]),
        np.eye(4),
    ]
    scales = [model.scales.source_tasks[cell.task] for cell in CELLS]
    total = np.zeros((4 * n * n, 4 * n * n))
    for part, logs in model.variances.items():
        sizes = np.exp(logs.mode).reshape(3, 4)
        for reach, row in zip(reaches, sizes, strict=True):
            for source_part, size in zip(PARTS, row, strict=True):
                total += size * np.kron(np.kron(reach, same(source_part) * np.outer(scales, scales)), strata[part])
    known = 3 * n * n
    noisy = total[:known, :known] + np.diag(np.repeat(model.noise, n))
    solved = np.linalg.solve(noisy, total[:known, known:])
    mean = solved.T @ model.scaled.ravel()
    return mean.reshape(n, n), total[known:, known:] - total[known:, :known] @ solved


@pytest.mark.parametrize("family", ["family-0", "a family of its own"])
def test_mean_and_covariance_equal_dense_regression(model: TransferModel, family: str) -> None:
    mean, covariance = dense_prior(model, family)
    variances = {part: np.exp(logs.mode) for part, logs in model.variances.items()}
    prior = prior_of_new_model(model, [{cell: 1.0} for cell in CELLS], CELLS, family=family, variances=variances)
    np.testing.assert_allclose(prior.mean, mean, atol=1e-8)
    pairs = np.array([(source, target) for source in (0, 5, 11) for target in (0, 3, 7)])
    flat = pairs[:, 0] * len(CELLS) + pairs[:, 1]
    np.testing.assert_allclose(prior.covariance(pairs, pairs), covariance[np.ix_(flat, flat)], atol=1e-8)
    np.testing.assert_allclose(prior.variance().ravel(), np.diag(covariance), atol=1e-8)


def test_a_mix_is_the_weighted_sum_of_its_cells(model: TransferModel) -> None:
    variances = {part: np.exp(logs.mode) for part, logs in model.variances.items()}
    sources = [{CELLS[0]: 1.0}, {CELLS[5]: 1.0}, {CELLS[0]: 0.25, CELLS[5]: 0.75}]
    prior = prior_of_new_model(model, sources, CELLS, family="family-0", variances=variances)
    np.testing.assert_allclose(prior.mean[2], 0.25 * prior.mean[0] + 0.75 * prior.mean[1])
    pairs = np.array([(0, 3), (1, 3), (2, 3)])
    covariance = prior.covariance(pairs, pairs)
    weights = np.array([0.25, 0.75])
    assert covariance[2, 2] == pytest.approx(weights @ covariance[:2, :2] @ weights)
