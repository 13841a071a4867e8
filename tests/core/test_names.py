"""Files are whole or absent, names are safe, no two subjects share one."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.core.errors import InputError
from donorgrid.core.names import (
    StudyFolder,
    check_name,
    make_exclusively,
    remove_folder,
    remove_unfinished,
    subject_name,
    whole_file,
    whole_folder,
)
from donorgrid.core.records import Baseline, Cell, Recipe, Run, Source

DE, FR = Cell(task="arc", language="de"), Cell(task="arc", language="fr")
RUN = Run(model="m", source=Source.of_cell(DE), recipe=Recipe(name="r"), train_seed=17)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "-a", "a b", "a\n", "ä", "a" * 97, ".hidden"])
def test_what_may_not_become_a_path_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError) as found:
        check_name(name, what="model name")
    assert "\n" not in str(found.value)


@given(st.text(max_size=100))
def test_a_name_that_passes_is_one_path_part(name: str) -> None:
    try:
        check_name(name, what="name")
    except InputError:
        return
    assert Path("root", name).parent == Path("root")
    assert name not in (".", "..")


def test_every_difference_between_subjects_is_a_difference_between_names() -> None:
    mixed = Source(kind="mix", name="both", parts=((DE, 0.5), (FR, 0.5)))
    subjects = [
        Baseline(model="m"),
        Baseline(model="m", replicate=1),
        RUN,
        replace(RUN, source=Source.of_cell(FR)),
        replace(RUN, source=replace(Source.of_cell(DE), kind="control", control="shuffled")),
        replace(RUN, source=mixed),
        replace(RUN, recipe=Recipe(name="r", rank=4)),
        replace(RUN, train_seed=42),
        replace(RUN, train_size=100),
        replace(RUN, train_size=100, data_seed=3),
        replace(RUN, model="n"),
    ]
    assert len({subject_name(one) for one in subjects}) == len(subjects)
    folder = StudyFolder(Path("study"))
    runs = [one for one in subjects if isinstance(one, Run)]
    assert len({folder.adapter(one) for one in runs}) == len(runs)


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


def test_a_file_is_made_by_one(tmp_path: Path) -> None:
    assert make_exclusively(tmp_path / "claim", "mine")
    assert not make_exclusively(tmp_path / "claim", "yours")
    assert (tmp_path / "claim").read_text() == "mine"
    assert names_in(tmp_path) == ["claim"]


def test_only_what_the_dead_left_half_written_is_removed(tmp_path: Path) -> None:
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
