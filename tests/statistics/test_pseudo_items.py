"""The pseudo-items of a paired interval weigh as one seed's flips do."""

import numpy as np
import pytest

from donorgrid.statistics.paired import paired_bounds


@pytest.mark.parametrize("n_seeds", [1, 2, 5])
def test_a_cell_without_flips_has_the_error_of_its_pseudo_items(n_seeds: int) -> None:
    zero = np.zeros(1)
    found = paired_bounds(zero, zero, np.array([100.0]), n_seeds=float(n_seeds))
    assert found.se_pp[0] == pytest.approx(100 * np.sqrt(2 / n_seeds) / 102)
    assert found.centre_pp[0] == 0.0
