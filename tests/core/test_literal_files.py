import os
from pathlib import Path

import polars as pl
import pytest

from donorgrid.core.literal_files import matching_files, read_csv, read_parquet, read_parquet_footer

RIGHT, WRONG = pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [2]})


@pytest.mark.parametrize("name", ["s[1]", "s*", "s?", "~", "s[!a]", "{s1,s2}"])
def test_a_name_with_pattern_characters_is_read_and_no_sibling(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for folder, frame in (("s1", WRONG), ("s2", WRONG), (name, RIGHT)):
        Path(folder).mkdir()
        with Path(folder, "t.parquet").open("wb") as stream:
            frame.write_parquet(stream, metadata={"of": folder})
        with Path(folder, "t.csv").open("wb") as stream:
            frame.write_csv(stream)
    assert read_parquet(Path(name, "t.parquet"))["x"].to_list() == [1]
    assert read_csv(Path(name, "t.csv"))["x"].to_list() == [1]
    assert read_parquet_footer(Path(name, "t.parquet"))["of"] == name
    assert matching_files(Path(), f"{name}/t.csv") == [Path(name, "t.csv")]
    assert matching_files(Path(), f"{name}/t*") == [Path(name, "t.csv"), Path(name, "t.parquet")]


def test_a_file_that_is_missing_is_not_replaced_by_one_that_matches(tmp_path):
    (tmp_path / "s1.csv").write_text("x\n1\n")
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "s[1].csv")
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "s[1].parquet")


def test_patterns_match_where_no_file_has_the_name(tmp_path):
    (tmp_path / "a[1]").mkdir()
    for name in ("a[1]/x1.csv", "a[1]/x2.csv", "a[1]/y.csv"):
        (tmp_path / name).write_text("x\n1\n")
    assert [path.name for path in matching_files(tmp_path, "a[1]/x?.csv")] == ["x1.csv", "x2.csv"]
    assert [path.name for path in matching_files(Path(os.sep), f"{tmp_path}/a[1]/x*.csv")] == ["x1.csv", "x2.csv"]
    assert matching_files(tmp_path, "a[1]/none*") == []
    assert matching_files(tmp_path, "a[1]") == []


@pytest.mark.parametrize("reader", [read_parquet, read_parquet_footer])
def test_a_panic_of_polars_is_an_error_like_others(tmp_path, monkeypatch, reader):
    def panic(*_):
        raise pl.exceptions.PanicException("called `Result::unwrap()` on an `Err` value")

    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(pl, reader.__name__.replace("_footer", "_metadata"), panic)
    with pytest.raises(pl.exceptions.PolarsError, match="damaged"):
        reader(tmp_path / "a.parquet")
