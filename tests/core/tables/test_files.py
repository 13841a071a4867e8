"""Tables on disk: text that a spreadsheet would run is quoted and comes back; a path is never a pattern."""

import csv

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.core.errors import InputError
from donorgrid.core.tables import parse_table, read_table_file, write_csv


def test_text_that_begins_like_a_formula_is_quoted_and_numbers_are_not(tmp_path):
    frame = pl.DataFrame({"=model": ["=1+1", "+a", "-b", "@c", "'=d", "plain"], "delta_pp": [-1.5, 2, 3, 4, 5, 6]})
    write_csv(frame, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    assert [row[0] for row in rows] == ["'=1+1", "'+a", "'-b", "'@c", "''=d", "plain"]
    assert rows[0][1] == "-1.5"
    assert header == ["'=model", "delta_pp"]
    assert read_table_file(tmp_path / "t.csv").equals(frame)


@given(st.lists(st.text(alphabet="=+-@'ab \t", min_size=1, max_size=4), min_size=1, max_size=4))
def test_every_text_comes_back(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    frame = pl.DataFrame({"model": ["x", *texts]})
    write_csv(frame, path)
    assert read_table_file(path)["model"].cast(pl.String).to_list() == frame["model"].to_list()


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"a;b\n1;2\n", b"a\tb\n1\t2\n", b"\xef\xbb\xbfa,b\r\n1,2\r\n"])
def test_the_separator_is_that_of_the_first_line(content):
    assert parse_table(content, suffix=".csv", what="t.csv").to_dicts() == [{"a": 1, "b": 2}]


def test_a_path_is_literal(tmp_path):
    for folder, value in (("s[1]", 1), ("s1", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.csv").write_text(f"a\n{value}\n")
    assert read_table_file(tmp_path / "s[1]" / "t.csv")["a"].to_list() == [1]
    with pytest.raises(InputError, match=r"t\*\.csv: no such file"):
        read_table_file(tmp_path / "s1" / "t*.csv")


def test_a_column_that_stands_twice_is_refused():
    with pytest.raises(InputError, match=r"t\.csv: two columns are called 'a'; rename one"):
        parse_table(b"a,b,a\n1,2,3\n", suffix=".csv", what="t.csv")


@pytest.mark.parametrize(("name", "expected"), [("\0.csv", "no such file"), ("folder.csv", "is a folder")])
def test_a_path_that_is_no_file_is_one_line(tmp_path, name, expected):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=expected):
        read_table_file(tmp_path / name)


def test_what_the_operating_system_refuses_is_its_error(tmp_path):
    with pytest.raises(OSError, match="too long"):
        read_table_file(tmp_path / f"{'x' * 300}.csv")
