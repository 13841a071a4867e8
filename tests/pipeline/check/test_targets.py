"""How targets and subjects are named: languages after a colon, presets, files, the hub and its revisions."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from adapters import make_adapter
from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.request import CheckRequest, TargetSpec
from donorgrid.pipeline.check.subjects import find_base, find_subjects
from donorgrid.pipeline.check.targets import CheckTarget, find_targets
from worlds import make_checkpoint, make_task

WRITTEN = {
    "belebele:de,hi,th,sw": ("belebele", ("de", "hi", "th", "sw")),
    "belebele": ("belebele", ()),
    "mine/a.jsonl:de": ("mine/a.jsonl", ("de",)),
    "mine/*.jsonl": ("mine/*.jsonl", ()),
    "global_mmlu:pt-BR,zh_Hant": ("global_mmlu", ("pt-BR", "zh_Hant")),
    "xnli:de,de": ("xnli", ("de",)),
    "lm_eval:arc_de": ("lm_eval:arc_de", ()),
    "lm_eval:arc_{language}:de,fr": ("lm_eval:arc_{language}", ("de", "fr")),
    "odd:name.jsonl": ("odd:name.jsonl", ()),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_languages_stand_after_the_last_colon(written: str) -> None:
    found = TargetSpec.parse(written)
    assert (found.reference, found.languages) == WRITTEN[written]


def guarded(*written: str, **changes: Any) -> tuple[CheckTarget, ...]:
    guard = tuple(map(TargetSpec.parse, written))
    return find_targets(CheckRequest(base="base", adapters=("adapter",), guard=guard, **changes))


def names(*written: str, most_items: int | None = None) -> list[tuple[str, int]]:
    return [(target.name, len(target.items)) for target in guarded(*written, items=most_items)]


def test_a_task_without_languages_has_all_of_them() -> None:
    assert len(names("currency")) == 11


def test_a_preset_is_all_its_tasks() -> None:
    assert names("demo:de", most_items=5) == [("continent/de", 5), ("currency/de", 5), ("language/de", 5)]


def test_a_limit_draws_the_same_items_in_every_language_in_proportion_to_their_answers(tmp_path: Path) -> None:
    for language, labels in {"de": "ja nein", "en": "yes no"}.items():
        yes, no = labels.split()
        answers = [yes] * 30 + [no] * 10
        rows = [{"id": f"q{n}", "question": f"{n}?", "choices": [yes, no], "answer": a} for n, a in enumerate(answers)]
        (tmp_path / f"quiz-{language}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    german, english = guarded("quiz-{language}.jsonl:de,en", items=8, folder=tmp_path)
    assert [item.id for item in german.items] == [item.id for item in english.items]
    assert [item.answer for item in german.items] == [0] * 6 + [1] * 2
    assert [item.id for item in german.items][:6] != [f"q{number}" for number in range(6)]


def test_a_limit_keeps_prompts_beside_their_items(tmp_path: Path) -> None:
    rows = [{"id": f"q{number}", "prompt": f"Say {number}."} for number in range(30)]
    (tmp_path / "say.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (target,) = guarded("say.jsonl:en", items=8, folder=tmp_path)
    assert [item.id for item in target.items] == [prompt.id for prompt in target.prompts or ()]
    assert len(target.items) == 8
    assert [item.id for item in target.items] != [f"q{number}" for number in range(8)]


def test_what_is_named_twice_is_one_target() -> None:
    assert names("currency:de,fr", "demo:de") == [
        ("currency/de", 100),
        ("currency/fr", 100),
        ("continent/de", 100),
        ("language/de", 100),
    ]


def test_a_licence_that_forbids_commercial_use_is_said(tmp_path: Path) -> None:
    task = make_task(tmp_path)
    task.write_text(task.read_text() + "metadata: {licence: CC-BY-NC-4.0}\n")
    (target,) = guarded("colours.yaml:de", folder=tmp_path)
    assert target.notes == ("task 'colours': licence CC-BY-NC-4.0, not for commercial use",)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache with one model in two revisions and one adapter."""
    cache = tmp_path / "hub"
    commits = {"main": "a" * 40, "v1": "b" * 40}
    model = cache / "models--me--tiny"
    for seed, (revision, commit) in enumerate(commits.items()):
        make_checkpoint("llama", model / "snapshots" / commit, seed=seed)
        (model / "refs").mkdir(exist_ok=True)
        (model / "refs" / revision).write_text(commit)
    adapter = cache / "models--me--adapter"
    make_adapter(model / "snapshots" / commits["main"], adapter / "snapshots" / ("c" * 40))
    (adapter / "refs").mkdir()
    (adapter / "refs" / "main").write_text("c" * 40)
    for module in ("file_download", "_snapshot_download", "constants"):
        monkeypatch.setattr(f"huggingface_hub.{module}.HF_HUB_CACHE", str(cache), raising=False)
    return cache


def test_models_revisions_and_adapters_come_from_the_hubs_cache(hub: Path, tmp_path: Path) -> None:
    base = find_base("me/tiny", folder=tmp_path)
    revision, adapter = find_subjects(["me/tiny@v1", "me/adapter"], base, folder=tmp_path)
    assert revision.adapter is None
    assert revision.folder.weights_digest != base.folder.weights_digest
    assert find_base("me/tiny@v1", folder=tmp_path).folder.weights_digest == revision.folder.weights_digest
    assert adapter.adapter is not None
    assert adapter.folder == base.folder
    with pytest.raises(InputError, match="model 'me/tiny' at revision 'v9'"):
        find_base("me/tiny@v9", folder=tmp_path)


def test_an_adapters_digest_is_of_its_content(hub: Path, tmp_path: Path) -> None:
    base = find_base("me/tiny", folder=tmp_path)
    shutil.copytree(hub / "models--me--adapter" / "snapshots" / ("c" * 40), tmp_path / "copy")
    make_adapter(base.folder.path, tmp_path / "wild", strength=1.0)
    same, copy, wild = find_subjects(["me/adapter", "copy", "wild"], base, folder=tmp_path)
    assert same.adapter_digest == copy.adapter_digest != wild.adapter_digest
