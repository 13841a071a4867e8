"""What is damaged in a study's folder is named; a run makes again what it can, and nothing else stops."""

import json
import shutil
from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.store.logs import Failure, note_failure
from running import run_here, table_bytes
from worlds import make_study

Finished = tuple[Path, dict[str, bytes]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The file of a finished study, and its tables."""
    root = tmp_path_factory.mktemp("finished")
    file = make_study(root, languages=["de", "en"], limits={"train_items": 12, "test_items": 8})
    run_here(file, root / "tiny")
    return file, table_bytes(root / "tiny")


@pytest.fixture
def folder(finished: Finished, tmp_path: Path) -> StudyFolder:
    root = tmp_path / "study"
    shutil.copytree(finished[0].parent, root)
    return StudyFolder(root / "tiny")


def run(folder: StudyFolder) -> list[str]:
    """Run the study to its end; the notes of the run."""
    file, _ = study_paths(folder.root.with_suffix(".yaml"), None)
    notes: list[str] = []
    progress = run_study(file, folder.root, options=RunOptions(device="cpu", jobs=1), on_note=notes.append)
    assert (progress.failed, progress.left) == (0, 0)
    return notes


def one_run(folder: StudyFolder, language: str = "de") -> Path:
    (path,) = folder.root.glob(f"items/llama/colours@{language}*.parquet")
    return path


def flip(path: Path, at: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("at", [0.05, 0.5, 0.85])
def test_damaged_answers_are_given_again(donorgrid, finished: Finished, folder: StudyFolder, at: float) -> None:
    path = one_run(folder)
    flip(path, at)
    code, out, err = donorgrid("analyse", folder.root)
    assert path.name in out + err
    assert code == 2 or "left out: " in out
    code, out, _ = donorgrid("status", folder.root, "--verify")
    assert (code, out.count("damaged: "), path.name in out) == (1, 1, True)
    (note,) = run(folder)
    assert note.startswith(str(path))
    assert note.endswith("they are given again")
    assert table_bytes(folder.root) == finished[1]
    assert donorgrid("status", folder.root, "--verify")[0] == 0


def test_answers_of_another_subject_are_given_again(donorgrid, finished: Finished, folder: StudyFolder) -> None:
    shutil.copy(one_run(folder, "en"), one_run(folder, "de"))
    code, out, _ = donorgrid("analyse", folder.root)
    assert (code, "it holds the answers of llama/colours@en" in out) == (0, True)
    assert donorgrid("status", folder.root)[0] == 1
    assert "it holds the answers of" in run(folder)[0]
    assert table_bytes(folder.root) == finished[1]


def test_a_damaged_adapter_is_named_and_not_handed_out(donorgrid, folder: StudyFolder, tmp_path: Path) -> None:
    (weights,) = folder.root.glob("adapters/llama/colours@de/*/*/adapter_model.safetensors")
    flip(weights, 0.7)
    code, out, _ = donorgrid("status", folder.root, "--verify")
    assert (code, "the adapter is not the one that was trained there" in out) == (1, True)
    words = ("export", "adapter", folder.root, "--source", "colours/de", "--out", tmp_path / "card")
    code, _, err = donorgrid(*words)
    assert (code, str(weights.parent) in err) == (2, True)
    assert not (tmp_path / "card").exists()
    one_run(folder).unlink()  # now the adapter is needed
    assert any("it is trained again" in note for note in run(folder))
    assert donorgrid(*words)[0] == 0


@pytest.mark.parametrize("content", ["", "{", "[]", "\0\0", '{"languages_of": 1}', "flip"])
def test_a_damaged_plan_is_named_and_written_again(
    donorgrid, finished: Finished, folder: StudyFolder, content: str
) -> None:
    if content == "flip":
        plan = json.loads(folder.plan.read_text())
        plan["training_keys"] = dict.fromkeys(plan["training_keys"], "0" * 64)
        content = json.dumps(plan)
    folder.plan.write_text(content)
    for words in (("analyse", folder.root), ("status", folder.root), ("report", folder.root)):
        code, _, err = donorgrid(*words)
        assert (code, err.count("\n"), f"{folder.plan}: damaged" in err) == (2, 1, True)
    run(folder)
    assert table_bytes(folder.root) == finished[1]


def test_junk_in_the_folder_stops_nothing(donorgrid, finished: Finished, folder: StudyFolder) -> None:
    folder.claims.mkdir(exist_ok=True)
    (folder.claims / "junk").write_text("junk")
    (folder.root / "log" / "failures-x.jsonl").write_bytes(b"\0\0\n{half\n")
    (folder.root / "log" / "manifest-x.json").write_text("{")
    (folder.root / ".unfinished-x").symlink_to(folder.root)
    (folder.root / "items" / ".unfinished-a-b-c-d").mkdir()
    one_run(folder).unlink()
    assert sum("passed over" in note for note in run(folder)) == 3
    assert table_bytes(folder.root) == finished[1]
    code, out, _ = donorgrid("report", folder.root)
    assert (code, out.count("passed over")) == (0, 3)
    assert donorgrid("status", folder.root)[0] == 0


def test_a_study_that_was_edited_after_its_run_is_one_line(donorgrid, folder: StudyFolder) -> None:
    text = folder.study_file.read_text()
    folder.study_file.write_text(text.replace("harm_limit_pp: 1.0", "harm_limit_pp: 2.0"))
    code, out, _ = donorgrid("analyse", folder.root)
    assert (code, "was edited after the last run" in out) == (0, True)
    folder.study_file.write_text(text.replace("- 17\n", "- 18\n"))
    for command in ("analyse", "status"):
        code, _, err = donorgrid(command, folder.root)
        assert (code, err.count("\n"), "it was edited after the last run" in err) == (2, 1, True)


def test_a_passing_failure_is_tried_again_and_another_names_the_way(donorgrid, folder: StudyFolder) -> None:
    code, out, _ = donorgrid("status", folder.root)
    one_run(folder).unlink()
    key = plan_key(folder)
    failure = Failure(key=key, model="llama", source="colours/de", recipe="tiny", train_seed=17, reason="it diverged")
    note_failure(folder, failure)
    code, out, _ = donorgrid("status", folder.root)
    assert (code, "failed: llama, colours/de, tiny, seed 17: it diverged" in out) == (1, True)
    assert f"1 failed; to try them again: donorgrid run {folder.root} --retry-failed" in out
    shutil.rmtree(folder.root / "log")
    note_failure(folder, Failure(**{**failure.__dict__, "reason": "device string: gpu", "passing": True}))
    code, out, _ = donorgrid("status", folder.root)
    assert (code, "--retry-failed" in out, "1 failed for want of something" in out) == (1, False, True)
    assert run(folder) == []


def plan_key(folder: StudyFolder) -> str:
    from donorgrid.pipeline.prepare.study_files import read_workplan

    plan = read_workplan(folder)
    return plan.failure_key(next(run for run in plan.grid.runs if run.source.name == "colours/de"))
