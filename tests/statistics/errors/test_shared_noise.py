"""Shared noise: the split gives back the parts that noise was composed of."""

from collections.abc import Mapping

import numpy as np
import pytest

from donorgrid.statistics.errors.shared_noise import split_noise

N_SOURCES, N_TARGETS = 4, 6
LEVELS = {"source": N_SOURCES, "target": N_TARGETS}


def composed(alone: float, of_source: float, of_target: float, common: float) -> tuple[float, float, dict[str, float]]:
    """Noise variance of a cell, of the mean of all, and of a level's mean less the mean of all, from the covariance."""
    n = N_SOURCES * N_TARGETS
    source, target = (codes.ravel() for codes in np.mgrid[0:N_SOURCES, 0:N_TARGETS])
    covariance = alone * np.eye(n) + common
    covariance += of_source * (source[:, None] == source) + of_target * (target[:, None] == target)
    all_cells = np.full(n, 1 / n)
    of_means = {}
    for name, codes in (("source", source), ("target", target)):
        contrasts = [(codes == level) / (codes == level).sum() - all_cells for level in range(LEVELS[name])]
        of_means[name] = float(np.mean([contrast @ covariance @ contrast for contrast in contrasts]))
    return float(np.mean(np.diagonal(covariance))), float(all_cells @ covariance @ all_cells), of_means


@pytest.mark.parametrize("parts", [(2.0, 0.5, 3.0, 0.25), (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 2.0, 0.5)])
def test_the_split_gives_the_parts_back(parts: tuple[float, float, float, float]) -> None:
    alone, of_source, of_target, common = parts
    cell, of_all, of_means = composed(*parts)
    shared = split_noise(cell, of_all, of_means, LEVELS, N_SOURCES * N_TARGETS)
    assert shared.of_factor == pytest.approx({"source": of_source, "target": of_target}, abs=1e-12)
    assert shared.common == pytest.approx(common, abs=1e-12)
    assert cell - shared.common - sum(shared.of_factor.values()) == pytest.approx(alone)
    assert shared.of_means is None


def test_no_part_is_negative() -> None:
    """A mean that varies less than independent cells would make it vary leaves zero, not less."""
    shared = split_noise(4.0, 0.0, {"source": 0.0, "target": 0.1}, LEVELS, N_SOURCES * N_TARGETS)
    assert shared.common == 0.0
    assert shared.of_factor == {"source": 0.0, "target": 0.0}


def test_without_factors_only_the_common_part_is_split_off() -> None:
    """Ten cells of variance 5 whose mean varies by 1.4: 4 alone, 1 common."""
    no_factors: Mapping[str, float] = {}
    assert split_noise(5.0, 1.4, no_factors, {}, 10).common == pytest.approx(1.0)
