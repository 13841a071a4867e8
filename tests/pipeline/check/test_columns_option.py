"""``check --columns``: the columns of the data files among the targets."""

from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.command_line import check_from_flags
from donorgrid.pipeline.check.request import CheckRequest
from donorgrid.pipeline.check.targets import find_targets

FLAGS = {"base": "pocket", "adapters": ["a"]}
COLUMNS = {"choices": "w,x,y,z", "answer": "key"}
ROWS = "id,question,w,x,y,z,key\nq1,two?,one,two,three,four,B\nq2,four?,one,two,three,four,D\n"


def request(folder: Path, config: Path | None = None, **flags: object) -> CheckRequest:
    return check_from_flags({**FLAGS, "cache": folder / "cache", **flags}, config).request


def test_letters_over_four_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "mmlu.csv").write_text(ROWS)
    guard = [str(tmp_path / "mmlu.csv"), "currency:de"]
    of_file, of_task = find_targets(request(tmp_path, guard=guard, columns=COLUMNS))
    assert [(item.choices, item.answer) for item in of_file.items] == [
        (("one", "two", "three", "four"), 1),
        (("one", "two", "three", "four"), 3),
    ]
    assert of_task.cell.task == "currency"


def test_numbers_from_one_are_read_where_the_option_says_so(tmp_path: Path) -> None:
    (tmp_path / "from_one.csv").write_text(ROWS.replace(",B\n", ",2\n").replace(",D\n", ",4\n"))
    guard = [str(tmp_path / "from_one.csv")]
    with pytest.raises(InputError, match=r"seem to count from 1; .*--columns answers_from=1"):
        find_targets(request(tmp_path, guard=guard, columns=COLUMNS))
    (target,) = find_targets(request(tmp_path, guard=guard, columns={**COLUMNS, "answers_from": "1"}))
    assert [item.answer for item in target.items] == [1, 3]


def test_the_option_wins_over_the_columns_of_a_check_file(tmp_path: Path) -> None:
    (tmp_path / "mmlu.csv").write_text(ROWS)
    (tmp_path / "check.yaml").write_text("guard: {task: mmlu.csv, columns: {choices: [w, x], answer: wrong}}\n")
    (target,) = find_targets(request(tmp_path, tmp_path / "check.yaml", columns=COLUMNS))
    assert [len(item.choices) for item in target.items] == [4, 4]


def test_columns_without_a_data_file_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--columns: no target is a data file"):
        request(tmp_path, guard=["currency:de"], columns=COLUMNS)
