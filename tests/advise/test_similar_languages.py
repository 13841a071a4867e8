"""Similarities of languages: by facts, or by distances where they are known; always a covariance."""

from itertools import combinations

import numpy as np
import pytest

from donorgrid.advise.similar_languages import similar_languages

LANGUAGES = ["de", "en", "hi", "ta"]


def test_facts_give_half_for_a_branch_and_a_quarter_for_a_family() -> None:
    matrix = similar_languages(LANGUAGES).between(LANGUAGES, LANGUAGES)
    assert matrix[0, 1] == pytest.approx(0.5)
    assert matrix[0, 2] == pytest.approx(0.25)
    assert matrix[0, 3] == 0.0


def test_distances_take_the_place_of_facts_where_they_are_known() -> None:
    kinds = {"syntactic": {("de", "en"): 0.2, ("ta", "hi"): 0.4}, "inventory": {("en", "de"): 0.4}}
    matrix = similar_languages(LANGUAGES, kinds).between(LANGUAGES, LANGUAGES)
    assert matrix[0, 1] == pytest.approx(0.5 * (1 - 0.3))
    assert matrix[2, 3] == pytest.approx(0.5 * (1 - 0.4))
    assert matrix[0, 2] == pytest.approx(0.25)


def test_contradictory_distances_still_give_a_covariance() -> None:
    names = [f"x{number}" for number in range(9)]
    contradictory = {pair: float(pair[0] != "x0") for pair in combinations(names, 2)}
    matrix = similar_languages(names, {"made up": contradictory}).between(names, names)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    assert np.diag(matrix) == pytest.approx(1.0)
    assert matrix[0, 1] > 0.3
