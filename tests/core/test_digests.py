"""Digests follow content alone: neither the order of keys nor the folder counts, names and bytes do."""

from pathlib import Path

import pytest

from donorgrid.core.digests import canonical_json, digest_of, digest_of_files


def test_equal_values_give_equal_digests_whatever_their_order() -> None:
    assert canonical_json({"b": [1, "ü"], "a": None}) == '{"a":null,"b":[1,"ü"]}'
    assert digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def files(folder: Path, contents: dict[str, str]) -> list[Path]:
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_text(content)
    return [folder / name for name in contents]


def test_files_are_known_by_their_names_and_contents_not_by_their_folder(tmp_path: Path) -> None:
    first = digest_of_files(files(tmp_path / "one", {"a": "x", "b": "y"}))
    assert digest_of_files(files(tmp_path / "two", {"b": "y", "a": "x"})) == first
    assert digest_of_files(files(tmp_path / "exchanged", {"a": "y", "b": "x"})) != first
    assert digest_of_files(files(tmp_path / "renamed", {"a": "x", "c": "y"})) != first
    assert digest_of_files(files(tmp_path / "joined", {"a": "xy", "b": ""})) != first
