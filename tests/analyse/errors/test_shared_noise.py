"""Noise that the cells of a target share is not an effect of the target."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, run_of

from donorgrid.analyse import AnalysisSettings, deltas, pair_answers
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.arms import Arm, judged
from donorgrid.analyse.reading.cell_sets import cell_regimes
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.noise import cells_table
from donorgrid.statistics.errors.shared_noise import NO_SHARED_NOISE, SharedNoise, split_noise

SETTINGS = AnalysisSettings(n_bootstrap=0, n_permutations=0)
N_ITEMS = 150


def answers(seed, *, shared, own, languages=LANGUAGES):
    """No true effect; the baseline errs by itself (``shared``), and each adapter (``own``)."""
    rng = np.random.default_rng(seed)
    size = len(TASKS) * len(languages) * N_ITEMS
    truth = rng.random(size) < 0.5
    base = truth ^ (rng.random(size) < shared)
    runs = [
        (run_of(task, language), item_frame(truth ^ (rng.random(size) < own), languages=languages))
        for task in TASKS
        for language in languages
    ]
    return pair_answers(item_frame(base, languages=languages), runs)


def test_a_noisy_baseline_is_shared_by_a_target_and_noisy_adapters_are_not():
    of_base, of_adapters = [], []
    for seed in range(8):
        for found, shared, own in ((of_base, 0.15, 0.0), (of_adapters, 0.0, 0.15)):
            made = answers(seed, shared=shared, own=own, languages=("bn", "de", "en", "fr", "it", "pt"))
            noise = shared_noise(differences_of([made], Arm("lora", None), metric="acc_norm"))
            found.append(noise["CT-CL"].of_factor["target"])
    # A cell's variance is 1e4 x .15 / 150 = 10; the mean over 12 targets takes a twelfth of it away. Adapters that err
    # apart still share what the baseline leaves to lose: a correlation of .15.
    assert np.mean(of_base) == pytest.approx(10 * 11 / 12, rel=0.15)
    assert np.mean(of_adapters) == pytest.approx(0.15 * 10, abs=0.8)


def test_what_is_shared_is_taken_out_of_the_posterior():
    """The baseline's luck makes some targets look harmed; the posterior with shared noise does not believe it."""
    found = {name: [] for name in ("with", "without")}
    for seed in range(6):
        made = answers(seed, shared=0.15, own=0.02)
        own = differences_of([made], Arm("lora", None), metric="acc_norm")
        cells = with_uncertainty(judged(deltas(made, metric="acc_norm"), SETTINGS), SETTINGS)
        flips = max_t_table([], SETTINGS)
        for name, shared in (("with", shared_noise(own)), ("without", None)):
            table = cells_table(cells, flips, SETTINGS, shared=shared).filter(pl.col("regime") == "CT-CL")
            inside = (table["eb_low_pp"] <= 0) & (table["eb_high_pp"] >= 0)
            found[name].append(inside.mean())
    assert np.mean(found["with"]) > 0.93
    assert np.mean(found["without"]) < np.mean(found["with"]) - 0.1


def test_the_parts_solve_their_equations():
    """Known parts, the variances of means that follow from them, and back."""
    parts, own, common, n_cells = {"source": 0.3, "target": 0.5}, 0.8, 0.2, 60
    levels = {"source": 6, "target": 10}
    of_all = common + sum(parts[name] / levels[name] for name in parts) + own / n_cells
    of_means = {name: parts[name] * (1 - 1 / levels[name]) + own * (levels[name] - 1) / n_cells for name in parts}
    cell = common + sum(parts.values()) + own
    found = split_noise(cell, of_all, of_means, levels, n_cells)
    assert found.common == pytest.approx(common)
    assert found.of_factor == pytest.approx(parts)
    assert split_noise(0.0, 0.0, {"source": 0.0}, {"source": 6}, 60) == SharedNoise(of_factor={"source": 0.0})
    assert SharedNoise(common=0.0, of_factor={}) == NO_SHARED_NOISE


def test_the_trained_cells_have_no_source_apart_from_the_target():
    own = differences_of([answers(0, shared=0.1, own=0.1)], Arm("lora", None), metric="acc_norm")
    found = shared_noise(own)
    assert found["MT-ML"].of_factor == {}
    assert set(found["CT-CL"].of_factor) == set(found["transfer"].of_factor) == {"source", "target"}


def test_the_covariance_of_the_regimes_means():
    """Against a sum over items of what each of them gives to the two means."""
    (made,) = differences_of([answers(1, shared=0.1, own=0.1)], Arm("lora", None), metric="acc_norm")
    found = shared_noise([made])["transfer"].of_means
    named = cell_regimes(made)
    parts = np.zeros((3, len(TASKS), N_ITEMS))
    for target in range(named.shape[1]):
        columns = slice(target * N_ITEMS, (target + 1) * N_ITEMS)
        task = TASKS.index(made.target_tasks[target])
        for place, regime in enumerate(("MT-CL", "CT-ML", "CT-CL")):
            rows = made.summed[named[:, target] == regime, columns].astype(float)
            centred = (rows - rows.mean(axis=1, keepdims=True)).sum(axis=0)
            parts[place, task] += 100 * centred / N_ITEMS / (named == regime).sum()
    flat = parts.reshape(3, -1)
    np.testing.assert_allclose(found, flat @ flat.T * flat.shape[1] / (flat.shape[1] - 1), rtol=1e-9)
    assert shared_noise([made])["CT-ML"].of_means.shape == (1, 1)


def test_models_with_other_items_have_no_common_noise():
    first = differences_of([answers(0, shared=0.1, own=0.1)], Arm("lora", None), metric="acc_norm")[0]
    other = replace(first, n_clusters=dict.fromkeys(first.n_clusters, 7))
    assert shared_noise([first, other]) == {}
    assert shared_noise([]) == {}
