import numpy as np
import pytest

from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import make_design, moments


def small():
    """Six rows of two sources and three targets, which stand first because they are more."""
    return make_design({"source": ["a", "a", "b", "b", "b", "a"], "target": [7, 8, 7, 9, 9, 9]})


def test_factors_stand_largest_first():
    design = small()
    assert design.names == ("target", "source")
    assert design.sizes == (3, 2)
    assert design.n_rows == 6
    assert [levels.tolist() for levels in design.levels] == [["7", "8", "9"], ["a", "b"]]
    assert [codes.tolist() for codes in design.codes] == [[0, 1, 0, 2, 2, 2], [0, 0, 1, 1, 1, 0]]
    assert design.starts.tolist() == [0, 3]
    assert design.factor_index.tolist() == [0, 0, 0, 1, 1]


def test_cross_products_count_the_rows_that_levels_share():
    design = small()
    assert design.gram.tolist() == [
        [2, 0, 0, 1, 1],
        [0, 1, 0, 1, 0],
        [0, 0, 3, 1, 2],
        [1, 1, 1, 3, 0],
        [1, 0, 2, 0, 3],
    ]
    assert design.cross.tolist() == [[2], [1], [3], [3], [3]]
    assert design.fixed_gram.tolist() == [[6]]


def test_the_moments_of_a_response():
    response = moments(small(), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    assert response.random.tolist() == [1 + 3, 2, 4 + 5 + 6, 1 + 2 + 6, 3 + 4 + 5]
    assert response.fixed.tolist() == [21]
    assert response.square == 1 + 4 + 9 + 16 + 25 + 36


def test_fixed_columns_replace_the_intercept():
    fixed = np.array([[1.0, 0.0], [1.0, 2.0], [0.0, 3.0], [0.0, 1.0]])
    design = make_design({"a": [0, 0, 1, 1]}, fixed=fixed)
    assert design.cross.tolist() == [[2, 2], [0, 4]]
    assert design.fixed_gram.tolist() == [[2, 2], [2, 14]]
    assert moments(design, np.array([1.0, 1.0, 2.0, 2.0])).fixed.tolist() == [2, 10]


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ({"a": ["x"] * 6}, "one level"),
        ({}, "factors of one length"),
        ({"a": [0, 0, 1, 1], "b": [0, 1]}, "factors of one length"),
    ],
)
def test_factors_that_make_no_design_are_refused(factors, words):
    with pytest.raises(InputError, match=words):
        make_design(factors)
