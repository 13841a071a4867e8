"""A folder that donorgrid wrote before it had formats: analysed with a note, done again only when that is wanted.

``study_of_format_1`` was written by the commit before formats: a task in two languages on a tiny Llama.
"""

import shutil
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.prepare.study_files import read_folder_version
from donorgrid.pipeline.prepare.work_keys import FORMAT, SEMANTICS
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import study_problems, study_status
from donorgrid.pipeline.run.run_study import run_study
from running import QUICK
from worlds import RECIPE, make_study

OPTIONS = {"device": "cpu", "jobs": 1}


@pytest.fixture
def old(tmp_path: Path) -> StudyFolder:
    shutil.copytree(Path(__file__).with_name("study_of_format_1"), tmp_path / "tiny")
    return StudyFolder(tmp_path / "tiny")


def contents(folder: StudyFolder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}


def test_it_is_small() -> None:
    folder = Path(__file__).with_name("study_of_format_1")
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 200_000


def test_it_is_analysed_with_a_note(old: StudyFolder) -> None:
    assert read_folder_version(old) == (1, 1)
    analysed = analyse_folder(old, QUICK)
    assert analysed.n_cells_done == analysed.n_cells_planned == 4
    (note,) = analysed.notes
    assert note.startswith("3 of 3 files of item answers were written by an early version of donorgrid")
    assert (study_status(old.root)[0].done, study_problems(old.root, verify=True).damaged) == (3, ())


def test_what_would_be_done_again_is_named_and_waits_for_redo(old: StudyFolder, tmp_path: Path) -> None:
    """Here the items are others; with another version it may be the keys."""
    changes: dict[str, object] = {"languages": ["de", "en"], "keep_adapters": ["colours/de"]}
    changes["limits"] = {"train_items": 12, "test_items": 7}
    changes["recipes"] = {"tiny": {**RECIPE, "tokenise": "apart", "append_eos": False}}  # the only way of then
    file = make_study(tmp_path, **changes)
    before = contents(old)
    with pytest.raises(InputError, match=r"format 1, semantics 1.*3 of 3 results.*llama/base.*--redo does so"):
        run_study(file, old.root, options=RunOptions(**OPTIONS))
    assert contents(old) == before
    progress = run_study(file, old.root, options=RunOptions(**OPTIONS, redo=True))
    assert (progress.done, progress.left) == (3, 0)
    assert read_folder_version(old) == (FORMAT, SEMANTICS)
    assert analyse_folder(old, QUICK).notes == ()
    changes["limits"] = {"train_items": 12, "test_items": 6}
    assert run_study(make_study(tmp_path, **changes), old.root, options=RunOptions(**OPTIONS)).left == 0
