"""A result table that others made: missing values are holes, wrong ones are refused with their row."""

import datetime

import polars as pl
import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.tables import check_result_table

KEY = {"model": "m", "source_task": "quiz", "source_language": "de", "target_task": "quiz", "target_language": "it"}


def table(**columns: list) -> pl.DataFrame:
    n_rows = len(next(iter(columns.values())))
    return pl.DataFrame({**{name: [value] * n_rows for name, value in KEY.items()}, **columns}, strict=False)


@pytest.mark.parametrize("missing", ["n/a", "N/A", "NA", "", " nan ", "None", "#N/A"])
def test_a_missing_number_is_a_hole(missing):
    assert check_result_table(table(delta_pp=["1.5", missing]))["delta_pp"].to_list() == [1.5, None]


REFUSED = [
    ({"delta_pp": ["1", "0,5"]}, r"row 2: column 'delta_pp' is '0,5', expected a number; write .* after a point"),
    ({"delta_pp": [1.0], "n_items": [3.5]}, r"row 1: column 'n_items' is '3.5', expected a whole number"),
    ({"delta_pp": [1.0], "n_items": [0]}, r"row 1: column 'n_items' is 0, expected at least 1"),
    ({"delta_pp": [1.0], "n_right": [-1]}, r"row 1: column 'n_right' is -1, expected at least 0"),
    ({"delta_pp": [1.0], "n_items": [4], "n_right": [5]}, r"row 1: column 'n_right' is 5, of 4 items"),
    ({"delta_pp": [True]}, r"column 'delta_pp' holds Boolean, expected a number"),
    ({"delta_pp": [datetime.date(2026, 1, 1)]}, r"column 'delta_pp' holds Date, expected a number"),
    ({"delta_pp": [[1.0]]}, r"column 'delta_pp' holds List\(Float64\), expected a number"),
    ({"delta_pp": [1.0], "recipe": [["a"]]}, r"column 'recipe' holds List\(String\), expected text"),
    ({"score": [0.4, 40.0], "score_base": [0.5, 0.5]}, r"'score' mixes .*: row 1 \(quiz/it\) is 0.4, row 2 .* is 40.0"),
    (
        {"score": [41.0, 40.0], "score_base": [0.5, 0.5]},
        r"'score' is 41.0, .*write 'percent: \[score\]' in the mapping",
    ),
    (
        {"score": [0.52], "score_base": [0.5], "delta_acc_pp": [0.02]},
        r"row 1: column 'delta_acc_pp' is 0.02, the plain difference of two proportions; expected percentage points",
    ),
]


@pytest.mark.parametrize(("columns", "expected"), REFUSED, ids=[expected for _, expected in REFUSED])
def test_a_wrong_value_is_refused_with_its_row(columns, expected):
    with pytest.raises(InputError, match=expected):
        check_result_table(table(**columns))
