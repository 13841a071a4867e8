"""Files and folders are complete or absent."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from donorgrid.core.atomic_files import (
    make_exclusively,
    make_folder,
    remove_folder,
    remove_unfinished,
    whole_file,
    whole_folder,
)
from donorgrid.core.errors import InputError, SystemRefusal
from donorgrid.core.processes import host_mark


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


def test_what_only_looks_unfinished_stays_and_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "elsewhere"
    kept.mkdir()
    (kept / "mine").write_text("mine")
    study = tmp_path / "study"
    study.mkdir()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    dead = f"-{host_mark()}-{pid}-0123abcd"
    (study / f".unfinished-link{dead}").symlink_to(kept)
    (study / f".unfinished-hanging{dead}").symlink_to(tmp_path / "none")
    (study / f".unfinished-folder{dead}").mkdir()
    for name in (".unfinished-", ".unfinished-notes", ".unfinished-a-b-c-d", f".unfinished-x-{host_mark()}-one-two"):
        (study / name).write_text("theirs")
    assert remove_unfinished(study) == 3
    assert len(names_in(study)) == 4
    assert (kept / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/dev/null", SystemRefusal),
        ("/dev/null/x", SystemRefusal),
        ("/proc/none/x", SystemRefusal),
        ("folder", InputError),
    ],
)
def test_what_cannot_be_written_is_said_by_its_path(tmp_path: Path, path: str, error: type[Exception]) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(error, match=f"{path}|/dev/null|/proc/none"), whole_file(tmp_path / path) as unfinished:
        unfinished.write_text("text")
    assert Path("/dev/null").is_char_device()


def test_a_folder_does_not_replace_a_file_or_a_device(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for path, error in ((tmp_path / "file", InputError), (Path("/dev/null"), SystemRefusal)):
        with pytest.raises(error, match="it is no folder"), whole_folder(path):
            raise AssertionError
    with pytest.raises(InputError, match="it is no folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(InputError, match=f"{tmp_path / 'file'}: it is no folder"):
        make_folder(tmp_path / "file" / "deeper")
    assert (tmp_path / "file").read_text() == "text"


def test_a_long_name_leaves_room_for_its_temporary_name(tmp_path: Path) -> None:
    with whole_file(tmp_path / ("é" * 120)) as unfinished:
        unfinished.write_text("text")
    with pytest.raises(SystemRefusal, match="too long"), whole_file(tmp_path / ("x" * 300)):
        raise AssertionError


def test_a_full_disk_is_a_refusal_that_names_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(SystemRefusal, match=r"/table\.csv: No space left on device$"),
        whole_file(tmp_path / "table.csv"),
    ):
        Path("/dev/full").write_text("text")
    with pytest.raises(SystemRefusal, match=r"/answers: No space left on device$"), whole_file(tmp_path / "answers"):
        raise ValueError("I/O error: No space left on device (os error 28)")
    assert names_in(tmp_path) == []
