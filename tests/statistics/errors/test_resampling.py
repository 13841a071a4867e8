"""Resampling: draws spread as the means of their units do."""

import numpy as np
import pytest

from donorgrid.statistics.errors.resampling import draw_counts, enlarged_deviations, unexplained_scale


@pytest.mark.parametrize("n_units", [2, 3, 10])
def test_means_of_few_units_spread_as_much_as_their_error_says(n_units: int) -> None:
    values = np.arange(n_units, dtype=np.float64)
    drawn = enlarged_deviations((40_000,), n_units, np.random.default_rng(0)) @ values / n_units
    assert np.std(drawn) == pytest.approx(np.std(values, ddof=1) / np.sqrt(n_units), rel=0.02)


def test_every_draw_holds_as_many_units_as_there_are() -> None:
    counts = draw_counts(7, 50, np.random.default_rng(0))
    assert counts.shape == (7, 50)
    assert counts.sum(axis=0).tolist() == [7.0] * 50
    assert counts.max() > 1


def test_of_the_spread_between_runs_only_what_items_leave_is_kept() -> None:
    assert unexplained_scale(8.0, 2.0, 1.0) == pytest.approx(0.5)
    assert unexplained_scale(8.0, 2.0, 9.0) == 1.0
    assert unexplained_scale(0.0, 2.0, 1.0) == unexplained_scale(8.0, 0.0, 1.0) == 0.0
