"""The manifest and the notes say how training texts were read, and where the scorer reads others."""

import json
from pathlib import Path
from typing import Any

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.manifest import write_study_manifest
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.pipeline.prepare.training_tokens import encoding_notes, training_tokens
from worlds import RECIPE, give_chat_template, make_checkpoint, make_study

RECIPES = {"apart": {**RECIPE, "tokenise": "apart"}, "ended": {**RECIPE, "append_eos": True}, "joint": RECIPE}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read")
    for kind in ("llama", "qwen2"):
        give_chat_template(make_checkpoint(kind, folder / kind))
    return folder


def prepared(folder: Path, **changes: Any) -> Prepared:
    study = make_study(folder, recipes=RECIPES, models=["llama", "qwen2"], **changes)
    return prepare(study, StudyFolder(folder / "out"))


def test_texts_without_bos_are_named_with_what_they_lack(folder: Path) -> None:
    apart, ended, joint = training_tokens(prepared(folder), "llama")
    assert (joint.differing, joint.missing, joint.append_eos, joint.end) == ({}, (), False, ())
    assert list(apart.differing.values()) == [(24, 24)] * 3
    assert apart.missing == ("<bos>",)
    assert (ended.differing, ended.append_eos, ended.end) == ({}, True, ("<eos>",))
    assert list(encoding_notes([apart, ended, joint])) == [
        "llama, recipe 'apart': 72 training texts of 3 cells become other tokens than the scorer reads, without <bos> "
        "(tokenise: apart). This can cost accuracy (docs/results/real-models.md); 'tokenise: joint' trains on what the "
        "scorer reads"
    ]


def test_a_tokenizer_without_bos_has_nothing_to_lose_but_a_chat_template(folder: Path) -> None:
    assert not list(encoding_notes(training_tokens(prepared(folder), "qwen2")))
    apart, _, joint = training_tokens(prepared(folder, scoring={"chat_template": True}), "qwen2")
    assert (joint.chat_template, joint.append_eos, joint.end) == (True, True, ("<eos>",))
    assert (apart.chat_template, apart.append_eos) == (False, False)
    assert list(apart.differing.values()) == [(24, 24)] * 3


def test_the_manifest_of_a_run_says_it(folder: Path) -> None:
    notes = write_study_manifest(prepared(folder), device="cpu", jobs=1)
    (path,) = (folder / "out" / "log").glob("manifest-*.json")
    texts = json.loads(path.read_text())["training_texts"]
    assert [(of["model"], of["recipe"], of["append_eos"]) for of in texts] == [
        (model, recipe, recipe == "ended") for model in ("llama", "qwen2") for recipe in RECIPES
    ]
    assert texts[0]["differing"] == {f"colours/{language}": [24, 24] for language in ("de", "en", "it")}
    assert sum("become other tokens" in note for note in notes) == 1
