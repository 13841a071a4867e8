"""Every wheel has a version in constraints.txt, and a folder that is too large to carry ends the program."""

import zipfile
from pathlib import Path

import pytest
import run
import wheels


def test_every_package_is_pinned() -> None:
    listed = wheels.requirements()
    assert "lm_eval==0.4.13" in listed
    assert all("==" in line for line in listed)
    assert not [line for line in listed if line.startswith(("polars", "torch", "transformers", "numpy"))]


def test_too_large_a_folder_names_the_largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("small-1-py3-none-any.whl", 10), ("large-1-py3-none-any.whl", 5000)):
        (tmp_path / name).write_bytes(b"x" * size)
    assert wheels.check_size(tmp_path).startswith(f"{tmp_path}: 2 wheels, 0.0 of 48 MiB")
    monkeypatch.setattr(wheels, "LIMIT_BYTES", 5009)
    with pytest.raises(SystemExit, match="too large to carry; the largest are large-1"):
        wheels.check_size(tmp_path)


def test_wheels_are_unpacked_and_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no wheels"):
        run.unpack(tmp_path, tmp_path / "site")
    with zipfile.ZipFile(tmp_path / "thing-1-py3-none-any.whl", "w") as archive:
        archive.writestr("thing_of_a_wheel/__init__.py", "value = 7\n")
    site = run.unpack(tmp_path, tmp_path / "site")
    assert (site / "thing_of_a_wheel" / "__init__.py").read_text() == "value = 7\n"
