"""Files and folders are complete or absent."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from donorgrid.core.atomic_files import make_exclusively, remove_folder, remove_unfinished, whole_file, whole_folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_amid(make: Callable[[Path], AbstractContextManager[Path]], path: Path, name: str) -> None:
    with make(path) as unfinished:
        (unfinished / name if name else unfinished).write_text("half of the sec")
        raise RuntimeError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    with whole_file(path) as unfinished:
        unfinished.write_text("first")
    with pytest.raises(RuntimeError):
        fail_amid(whole_file, path, "")
    assert path.read_text() == "first"
    assert names_in(path.parent) == ["file"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with whole_folder(path) as unfinished:
        (unfinished / "old").write_text("1")
    with pytest.raises(RuntimeError):
        fail_amid(whole_folder, path, "new")
    assert names_in(path) == ["old"]
    with whole_folder(path) as unfinished:
        (unfinished / "new").write_text("2")
    assert names_in(path) == ["new"]
    remove_folder(path)
    remove_folder(path)
    assert names_in(tmp_path) == []


def test_only_one_process_creates_a_file(tmp_path: Path) -> None:
    assert make_exclusively(tmp_path / "claim", "mine")
    assert not make_exclusively(tmp_path / "claim", "yours")
    assert (tmp_path / "claim").read_text() == "mine"
    assert names_in(tmp_path) == ["claim"]


def test_only_unfinished_files_of_ended_processes_are_removed(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        with whole_file(tmp_path / "a" / "theirs") as unfinished:
            unfinished.write_text("half")
            os._exit(0)
    os.waitpid(pid, 0)
    with whole_file(tmp_path / "a" / "mine") as unfinished:
        unfinished.write_text("in hand")
        assert remove_unfinished(tmp_path) == 1
    assert names_in(tmp_path / "a") == ["mine"]
