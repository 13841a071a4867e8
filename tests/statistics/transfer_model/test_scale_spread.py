"""Scales of sources, tasks and noise: recovered where they differ, and not taken for a difference where they do not."""

import numpy as np
import pytest
from transfer_tables import CELLS, TASKS, as_knowledge, draw_tables

from donorgrid.statistics.transfer_model.design import telling_sources
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.new_model import prior_of_new_model
from donorgrid.statistics.transfer_model.scales import fit_scales
from donorgrid.statistics.transfer_model.similarity import Similarity

OF_TASK = np.array([cell.task == "tell" for cell in CELLS])


def test_a_task_whose_sources_do_more_has_a_larger_scale() -> None:
    tables = draw_tables(5, seed=1)[1]
    tables[:, OF_TASK] *= 3.0
    scales = fit_scales(as_knowledge(tables)).source_tasks
    others = np.sqrt(scales["ask"] * scales["read"])
    assert 1.8 < scales["tell"] / others < 4.5
    assert np.prod(list(scales.values())) == pytest.approx(1.0)


def test_noise_is_no_scale() -> None:
    truth = draw_tables(4, seed=2, noise=0.0)[0]
    truth[:, :, OF_TASK] *= 0.05
    rng = np.random.default_rng(0)
    noisy = as_knowledge(truth + rng.standard_normal(truth.shape), noise=1.0)
    ratio = np.log(fit_scales(noisy).targets[~OF_TASK]).mean() - np.log(fit_scales(noisy).targets[OF_TASK]).mean()
    unaware = fit_scales(as_knowledge(truth + rng.standard_normal(truth.shape), noise=0.0)).targets
    assert ratio > np.log(unaware[~OF_TASK]).mean() - np.log(unaware[OF_TASK]).mean() + 0.3


def test_spread_of_scales_is_taken_for_true_only_where_equal_scales_would_not_show_it() -> None:
    tables = draw_tables(6, seed=4)[1]
    equal = fit_model(as_knowledge(tables), similarity=Similarity.none()).scales
    assert equal.degrees > fit_scales(as_knowledge(tables)).degrees
    for model, factor in enumerate((0.2, 4.0, 0.3, 5.0, 0.25, 3.0)):
        tables[model, :, OF_TASK] *= factor
    uneven = fit_model(as_knowledge(tables), similarity=Similarity.none()).scales
    assert uneven.task_log_sd["tell"] > 2 * equal.task_log_sd["tell"]


def test_the_first_source_of_a_design_leaves_the_least_variance() -> None:
    model = fit_model(as_knowledge(draw_tables(3, seed=5)[1]), similarity=Similarity.none())
    chosen = telling_sources(model, CELLS, family="family-0", n_per_task=1)
    assert sorted(CELLS[index].task for index in chosen) == sorted(TASKS)
    variances = {part: np.exp(logs.mode) for part, logs in model.variances.items()}
    prior = prior_of_new_model(model, [{cell: 1.0} for cell in CELLS], CELLS, family="family-0", variances=variances)
    everything = np.indices((len(CELLS), len(CELLS))).reshape(2, -1).T
    total = prior.covariance(everything, everything)
    left = []
    for source in range(len(CELLS)):
        rows = np.flatnonzero(everything[:, 0] == source)
        observed = total[np.ix_(rows, rows)] + model.noise.mean() * np.eye(len(rows))
        left.append(np.trace(total - total[:, rows] @ np.linalg.solve(observed, total[rows])))
    assert chosen[0] == int(np.argmin(left))
    assert len(telling_sources(model, CELLS, family="family-0", n_per_task=2)) == 2 * len(TASKS)
