"""Checks of tiny models from end to end: the base against itself, adapters, checkpoints, the cache, lm-eval's side."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from adapters import make_adapter
from donorgrid.check import exit_code
from donorgrid.pipeline.check import answer_cache as check_engine
from donorgrid.pipeline.check.request import Checked, CheckRequest, TargetSpec
from donorgrid.pipeline.check.run_check import run_check
from donorgrid.pipeline.check.subjects import distinct_names
from donorgrid.store.answers import read_answers
from worlds import make_checkpoint, make_documents, make_task


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base, another base, adapters, a merged checkpoint and a task."""
    root = tmp_path_factory.mktemp("check")
    make_checkpoint("llama", root / "base")
    make_checkpoint("llama", root / "other", seed=1)
    make_adapter(root / "base", root / "nothing")
    make_adapter(root / "base", root / "wild", strength=1.0)
    make_adapter(root / "base", root / "mild", strength=0.02)
    make_task(root, test=60)
    return root


def specs(*written: str) -> tuple[TargetSpec, ...]:
    return tuple(TargetSpec.parse(one) for one in written)


def checked(place: Path, *adapters: str, **changes: object) -> Checked:
    values = {
        "base": "base",
        "adapters": adapters,
        "guard": specs("colours.yaml:de,en"),
        "device": "cpu",
        "cache": place / "cache",
        "folder": place,
        **changes,
    }
    return run_check(CheckRequest(**values))


def test_the_base_against_itself_is_safe_everywhere_with_delta_exactly_0(place: Path) -> None:
    result = checked(place, "base", "nothing").result
    for adapter in result.adapters:
        assert {one.delta_pp for one in adapter.targets} == {0.0}
        assert {one.verdict for one in adapter.guards} == {"safe"}
    assert exit_code(result) == 0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["base", "out/de/seed17"], ["base", "seed17"]),
        (["base", "out/de/seed17", "out/de/seed42", "hi"], ["base", "seed17", "seed42", "hi"]),
        (["base", "out/de/seed17", "out/hi/seed17", "out/hi/seed42"], ["base", "de/seed17", "hi/seed17", "seed42"]),
        (["base", "new/base", "/a/b"], ["base", "new/base", "b"]),
        (["base", "seed17", "out/seed17"], ["base", "seed17", "out/seed17"]),
        (["org/base", "org/one@v2"], ["org/base", "org/one@v2"]),
    ],
)
def test_a_folder_is_called_by_the_shortest_end_of_its_path_that_is_its_own(
    written: list[str], expected: list[str]
) -> None:
    is_path = [False, *(not one.startswith("org/") for one in written[1:])]
    assert distinct_names(written, is_path=is_path) == expected


def test_an_adapter_in_a_folder_far_away_is_told_by_its_name(place: Path) -> None:
    result = checked(place, str(place / "wild"), "mild").result
    assert [one.name for one in result.adapters] == ["wild", "mild"]


def test_an_adapter_that_changes_weights_is_not_called_the_same(place: Path) -> None:
    result = checked(place, "wild", "mild").result
    assert not any(one.same_as_base for adapter in result.adapters for one in adapter.targets)
    assert sum(one.gained + one.lost for one in result.adapters[0].targets) > 0


def test_the_base_comes_back_bit_for_bit_between_adapters(place: Path, tmp_path: Path) -> None:
    """An adapter answers the same whatever was checked before it."""
    after_wild = checked(place, "wild", "mild", cache=tmp_path / "one")
    alone = checked(place, "mild", cache=tmp_path / "two")
    for one, other in zip(after_wild.targets, alone.targets, strict=True):
        assert (one.adapters[1].chosen == other.adapters[0].chosen).all()
    files = {path.name: path for path in (tmp_path / "one").rglob("*.parquet")}
    for path in (tmp_path / "two").rglob("*.parquet"):
        assert read_answers(path).equals(read_answers(files[path.name]))


def test_a_rerun_computes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = checked(place, "wild", "other").result
    monkeypatch.setattr(check_engine, "open_session", None)
    assert checked(place, "wild", "other").result == first


def test_answers_are_kept_by_content_not_by_name(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(place, "wild")
    (tmp_path / "renamed").symlink_to(place / "wild")
    monkeypatch.setattr(check_engine, "open_session", None)
    assert checked(place, str(tmp_path / "renamed")).result.adapters[0].targets
    with pytest.raises(TypeError):
        checked(place, "wild", guard=specs("colours.yaml:it"))
    with pytest.raises(TypeError):
        checked(place, "wild", items=7)


@pytest.mark.filterwarnings("default")
def test_a_merged_checkpoint_answers_as_its_adapter(place: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network = AutoModelForCausalLM.from_pretrained(place / "base", dtype=torch.float32)
    PeftModel.from_pretrained(network, place / "wild").merge_and_unload().save_pretrained(place / "merged")
    AutoTokenizer.from_pretrained(place / "base").save_pretrained(place / "merged")
    found = checked(place, "merged", "wild", metric="acc")
    for target in found.targets:
        merged, wild = target.adapters
        assert (merged.correct == wild.correct).all()


def test_targets_share_items_and_both_roles_are_judged(place: Path) -> None:
    result = checked(place, "wild", on=specs("colours.yaml:de")).result
    assert [(one.target, one.role) for one in result.adapters[0].targets] == [
        ("colours/de", "on"),
        ("colours/de", "guard"),
        ("colours/en", "guard"),
    ]


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in rows) + "\n")
    return path


def test_plain_files_by_pattern_with_and_without_languages(place: Path) -> None:
    rows = make_documents("colours", "de", count=45, seed=9)
    write_rows(place / "mine" / "a.jsonl", rows)
    write_rows(place / "mine" / "b.jsonl", [{**one, "language": "it"} for one in rows])
    write_rows(place / "more" / "a.jsonl", rows[:41])
    result = checked(place, "nothing", guard=specs("mine/*.jsonl", "more/a.jsonl", "more/a.jsonl:de")).result
    assert [(one.target, one.n_items) for one in result.adapters[0].targets] == [
        ("a", 45),
        ("b/it", 45),
        ("more-a", 41),
        ("more-a/de", 41),
    ]


def test_columns_may_have_other_names(place: Path) -> None:
    rows = make_documents("colours", "en", count=42, seed=3)
    renamed = [
        {"key": one["id"], "ask": one["question"], "options": one["choices"], "gold": one["answer"]} for one in rows
    ]
    write_rows(place / "renamed.jsonl", renamed)
    columns = {"id": "key", "question": "ask", "choices": "options", "answer": "gold"}
    (target,) = checked(place, "nothing", guard=(TargetSpec(reference="renamed.jsonl", columns=columns),)).targets
    assert list(target.item_ids) == [one["id"] for one in rows]


def test_one_file_read_by_two_maps_of_columns_gives_each_role_its_own_items(place: Path) -> None:
    rows = make_documents("colours", "en", count=42, seed=3)
    write_rows(place / "twice.jsonl", [{**row, "again": f"{row['question']} {row['question']}"} for row in rows])
    on, guard = (TargetSpec(reference="twice.jsonl", columns={"question": name}) for name in ("question", "again"))
    answers = checked(place, "wild", on=(on,), guard=(guard,)).targets
    n_questions = [target.contexts[0].count(rows[0]["question"]) for target in answers]
    assert n_questions == [1, 2]
    (alone,) = checked(place, "wild", guard=(guard,), cache=place / "fresh").targets
    assert (answers[0].base.chosen != alone.base.chosen).any()
    assert (answers[1].base.chosen == alone.base.chosen).all()
    assert (answers[1].adapters[0].chosen == alone.adapters[0].chosen).all()


def test_duplicate_ids_and_unusable_items_are_said_and_few_items_too(place: Path) -> None:
    rows = make_documents("colours", "en", count=30, seed=3)
    write_rows(place / "double.jsonl", [*rows, rows[0], {**rows[1], "id": "odd", "answer": "nowhere"}])
    result = checked(place, "nothing", guard=specs("double.jsonl")).result
    assert result.adapters[0].targets[0].n_items == 30
    _, understood, first, second = result.notes
    assert understood.startswith("task file double.jsonl: answers are read as numbers of choices, 0 for the first: ")
    assert first.startswith("double: 2 of 32 items are not used; the first, 'q3-0'")
    assert second == "double: 30 items decide little"


def test_one_class_only_is_set_apart(place: Path) -> None:
    rows = [
        {"id": str(n), "question": f"Is {n} a number?", "choices": ["yes", "no"], "answer": "yes"} for n in range(50)
    ]
    write_rows(place / "yes.jsonl", rows)
    (found,) = checked(place, "wild", guard=specs("yes.jsonl")).result.adapters[0].targets
    assert found.verdict == "undecided"
    assert "every item has the same right answer, 'yes'" in (found.degenerate or "")


@pytest.mark.filterwarnings("default")
def test_lm_eval_gives_the_same_accuracies_and_mcnemars_test_the_same_sign(place: Path) -> None:
    from lm_eval import evaluate
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.models.huggingface import HFLM

    content = {
        "task": "local",
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(place / "colours-de-test.jsonl")}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }

    def theirs(peft: str | None) -> list[bool]:
        model = HFLM(pretrained=str(place / "base"), peft=peft, dtype="float32", device="cpu", softmax_dtype="float32")
        task = {"local": ConfigurableTask(config=content)}
        found = evaluate(model, task, log_samples=True, bootstrap_iters=0)["samples"]["local"]
        return [bool(one["acc_norm"]) for one in sorted(found, key=lambda one: one["doc_id"])]

    before, after = theirs(None), theirs(str(place / "wild"))
    (ours,) = checked(place, "wild", guard=specs("colours.yaml:de")).result.adapters[0].targets
    assert (ours.n_right_base, ours.n_right) == (sum(before), sum(after))
    # McNemar's statistic by hand, on the transcript of lm-eval's samples.
    only_after = sum(b < a for b, a in zip(before, after, strict=True))
    only_before = sum(b > a for b, a in zip(before, after, strict=True))
    assert (ours.gained, ours.lost) == (only_after, only_before)
    z = (only_after - only_before) / np.sqrt(only_after + only_before)
    assert np.sign(z) == np.sign(ours.delta_pp) != 0
    assert (ours.high_pp < 0 or ours.low_pp > 0) == (abs(z) > 1.645)


PROMPTS = [
    {"id": "p1", "language": "de", "prompt": "welche Farbe ist rot?"},
    {"id": "p2", "language": "de", "prompt": "welche Zahl ist zwei?", "format": "json"},
    {"id": "p3", "language": "en", "prompt": "which is red?", "schema": {"type": "object", "required": ["a"]}},
]


def test_prompts_without_answers_become_a_guard_for_each_check(place: Path) -> None:
    write_rows(place / "prompts.jsonl", PROMPTS)
    found = checked(place, "base", "wild", guard=specs("prompts.jsonl"), max_new_tokens=12)
    names = [one.name for one in found.targets]
    expected = ["not-empty", "no-loop", "language", "no-refusal", "json"]
    of_languages = [f"prompts/{code} {check}" for code in ("de", "en") for check in expected]
    assert names[: len(of_languages)] == of_languages
    assert names[len(of_languages) :] == [f"all prompts {check}" for check in expected]
    assert {one.verdict for one in found.result.adapters[0].guards} == {"safe"}
    by_name = dict(zip(names, found.targets, strict=True))
    assert list(by_name["prompts/de json"].item_ids) == ["p2"]
    assert by_name["prompts/de no-loop"].base.answer_texts == by_name["prompts/de language"].base.answer_texts
    assert all(len(one.base.answer_texts) == len(one.item_ids) for one in found.targets)


def test_replies_are_kept_and_judged_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(place / "prompts.jsonl", PROMPTS)
    first = checked(place, "wild", guard=specs("prompts.jsonl"), max_new_tokens=12)
    monkeypatch.setattr(check_engine, "open_session", None)
    assert checked(place, "wild", guard=specs("prompts.jsonl"), max_new_tokens=12).result == first.result
    with pytest.raises(TypeError):
        checked(place, "wild", guard=specs("prompts.jsonl"), max_new_tokens=13)


def test_a_generated_answer_is_judged_by_exact_match(place: Path) -> None:
    write_rows(place / "generated.jsonl", [{"id": str(n), "ask": f"which is {n}?", "gold": "red"} for n in range(3)])
    keys = {
        "task": "generated",
        "languages": ["en"],
        "output_type": "generate_until",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "generated.jsonl"}},
        "test_split": "test",
        "id_column": "id",
        "doc_to_text": "{{ask}}",
        "doc_to_target": "{{gold}}",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 8},
        "metric_list": [{"metric": "exact_match"}],
    }
    (place / "generated.yaml").write_text(yaml.safe_dump(keys))
    (target,) = checked(place, "wild", guard=specs("generated.yaml")).targets
    assert target.metric == "exact match"
    assert target.gold_texts == ["red"] * 3
    assert [said == "red" for said in target.base.answer_texts] == target.base.correct.tolist()


def test_items_that_are_longer_than_the_model_reads_are_said(place: Path, tmp_path: Path) -> None:
    rows = make_documents("colours", "de", count=3, seed=8)
    write_rows(place / "long.jsonl", [{**rows[0], "question": "rot " * 400}, *rows[1:]])
    request = CheckRequest(
        base="base", adapters=("wild",), guard=specs("long.jsonl"), device="cpu", cache=tmp_path, folder=place
    )
    said: list[str] = []
    run_check(request, on_note=said.append)
    assert [one for one in said if "longer" in one] == [
        "long: 1 items are longer than the 256 tokens that the model reads; they lose their beginning"
    ]


def test_a_request_is_plain_data_that_can_be_changed() -> None:
    request = CheckRequest(base="pocket", adapters=("a",), guard=specs("currency:de"))
    assert replace(request, limit=-2.0).limit == -2.0
