"""What a run says before it starts, and keeps in its manifest."""

import json
from pathlib import Path

import pytest
import yaml

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.store.logs import read_manifests
from worlds import RECIPE, make_documents, make_study


def run(file: Path) -> tuple[list[str], StudyFolder]:
    notes: list[str] = []
    path, folder = study_paths(file, None)
    run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1), on_note=notes.append)
    return notes, folder


def change_task(folder: Path, **changes: object) -> None:
    path = folder / "colours.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}, sort_keys=False))


def rewrite(folder: Path, split: str, documents: list[dict]) -> None:
    (folder / f"colours-de-{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in documents))


def small(folder: Path) -> Path:
    return make_study(folder, languages=["de", "en"], limits={"train_items": 6, "test_items": 12})


def test_a_licence_that_forbids_commercial_use_is_said_before_the_run(tmp_path: Path) -> None:
    file = small(tmp_path)
    change_task(tmp_path, metadata={"licence": "CC-BY-NC-4.0"})
    notes, folder = run(file)
    assert notes == ["task 'colours': licence CC-BY-NC-4.0, not for commercial use"]
    (manifest,) = read_manifests(folder)
    assert manifest["notes"] == notes


def test_items_that_cannot_be_used_and_languages_that_differ_are_counted_with_their_ids(tmp_path: Path) -> None:
    file = small(tmp_path)
    documents = make_documents("colours", "de", count=12, seed=1)
    documents[3]["answer"] = 7
    rewrite(tmp_path, "test", documents)
    notes, folder = run(file)
    assert any("colours/de: 1 of 12 test items cannot be used; the first is 'q1-3'" in note for note in notes)
    assert any("items are not the same in every language" in note and "de lacks 1" in note for note in notes)
    (manifest,) = read_manifests(folder)
    assert manifest["items"]["colours/de"]["test"]["kept"] == 11


def test_texts_too_long_for_the_recipe_or_the_model_are_counted(tmp_path: Path) -> None:
    file = small(tmp_path)
    change_task(tmp_path, train={"prompt": "{{question}}", "target": " {{choice}}", "max_tokens": 8})
    documents = make_documents("colours", "de", count=12, seed=1)
    documents[0]["question"] = "rot " * 400
    rewrite(tmp_path, "test", documents)
    notes, folder = run(file)
    assert any("llama, colours/de: 6 of 6 train items are too long and cut" in note for note in notes)
    assert any("llama, colours/de: 1 of 12 test items are too long and cut, 'q1-0' by" in note for note in notes)
    (manifest,) = read_manifests(folder)
    ((cut_id, excess),) = manifest["tokens"]["llama"]["colours/de"]["test"]["cut"]
    assert cut_id == "q1-0"
    assert excess > 100


def test_a_target_that_cannot_be_scored_stops_the_run_before_any_work(tmp_path: Path) -> None:
    file = small(tmp_path)
    documents = make_documents("colours", "de", count=12, seed=1)
    for one in documents:
        one["choices"] = ["<bos>", "rot", "blau"]  # the prefix token, after a context that is empty
    rewrite(tmp_path, "test", documents)
    change_task(tmp_path, doc_to_text="{{''}}", target_delimiter="")
    with pytest.raises(InputError, match="no item can be scored"):
        run(file)
    assert not (tmp_path / "tiny" / "items").exists()


def test_texts_that_the_scorer_reads_otherwise_are_said_and_kept_in_the_manifest(tmp_path: Path) -> None:
    recipe = {**RECIPE, "epochs": 1, "tokenise": "apart"}
    file = make_study(
        tmp_path, languages=["de", "en"], limits={"train_items": 6, "test_items": 12}, recipes={"apart": recipe}
    )
    notes, folder = run(file)
    assert any("<bos>" in note for note in notes)
    (manifest,) = read_manifests(folder)
    (texts,) = manifest["training_texts"]
    assert texts["tokenise"] == "apart"
    assert texts["differing"] == {"colours/de": [6, 6], "colours/en": [6, 6]}
