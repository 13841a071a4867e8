"""Clustered errors by hand."""

import numpy as np
import pytest

from donorgrid.statistics.errors.clusters import clustered_se, delta_se_pp, design_effect, mean_covariance


def test_a_clustered_error_has_its_small_sample_factor() -> None:
    centred = np.array([[1.0, -2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 3.0]])
    assert clustered_se(centred) == pytest.approx([np.sqrt(3 / 2 * 6.0), np.nan], nan_ok=True)


def test_the_error_of_a_delta_is_the_textbook_one_for_a_single_seed() -> None:
    difference = np.array([1, 0, -1, 1, 0, 0, 1, 1, -1])
    se = delta_se_pp(difference, np.ones(9, dtype=np.int64), np.array([0, 5]))
    for number, part in enumerate((difference[:5], difference[5:])):
        assert se[number] == pytest.approx(100 * np.std(part, ddof=1) / np.sqrt(part.size))


def test_the_error_of_two_seeds_takes_an_item_as_one_draw() -> None:
    difference = np.array([2, 0, -1, 1])
    centred = difference - 2 * difference.sum() / 8
    expected = 100 * np.sqrt(4 / 3 * (centred**2).sum()) / 8
    assert delta_se_pp(difference, np.full(4, 2), np.array([0]))[0] == pytest.approx(expected)
    assert np.isnan(delta_se_pp(np.array([1]), np.array([2]), np.array([0]))[0])


def test_the_covariance_of_means_has_the_errors_on_its_diagonal() -> None:
    centred = np.array([[1.0, -2.0, 1.0], [-1.0, 2.0, -1.0]])
    covariance = mean_covariance(centred)
    assert covariance == pytest.approx(9.0 * np.array([[1, -1], [-1, 1]]))
    assert np.sqrt(np.diag(covariance)) == pytest.approx(clustered_se(centred))


def test_the_design_effect_is_the_variance_of_clusters_over_that_of_items() -> None:
    alike = np.array([1, 1, 0, 0, -1, -1])
    assert design_effect(alike, np.array([0, 0, 1, 1, 2, 2])) == pytest.approx((4 + 0 + 4) * 3 / 2 / 4)


def test_clusters_whose_items_cancel_out_make_nothing_surer() -> None:
    change = np.array([1, -1, 1, -1, 0, 0])
    assert design_effect(change, np.array([0, 0, 1, 1, 2, 2])) == 1.0
    assert design_effect(change, np.arange(6)) == 1.0
    assert design_effect(np.zeros(6, dtype=np.int64), np.array([0, 0, 1, 1, 2, 2])) == 1.0
