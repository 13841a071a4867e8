"""Random effects have the variance that they are said to have."""

import numpy as np
import pytest

from donorgrid.statistics.draws import unit_effects


@pytest.mark.parametrize("tail_degrees", [None, 5.0, 8.0])
def test_effects_have_variance_one_whatever_their_tails(tail_degrees: float | None) -> None:
    values = unit_effects(400_000, tail_degrees, np.random.default_rng(0))
    assert np.mean(values) == pytest.approx(0.0, abs=0.01)
    assert np.var(values) == pytest.approx(1.0, rel=0.03)
