"""Work keys: whatever changes a result changes its key, and nothing else does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell, Run
from donorgrid.pipeline.prepare import work_keys
from donorgrid.pipeline.prepare.study import prepare
from donorgrid.pipeline.prepare.work_keys import WorkPlan, make_workplan
from worlds import RECIPE, make_checkpoint, make_study

DE, EN = Cell(task="colours", language="de"), Cell(task="colours", language="en")
Plan = Callable[..., WorkPlan]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("keys")
    make_checkpoint("llama", root / "llama")
    return root


@pytest.fixture
def plan(study: Path) -> Plan:
    def of(**changes: Any) -> WorkPlan:
        return make_workplan(prepare(make_study(study, **changes), StudyFolder(study / "out")))

    return of


def training_keys(plan: WorkPlan) -> list[str]:
    return [key for run in plan.grid.runs if (key := plan.training_key(run)) is not None]


def conditions(plan: WorkPlan) -> dict[str, str]:
    return dict(plan.conditions["llama"])


def test_equal_studies_have_equal_keys_and_every_run_its_own(plan: Plan) -> None:
    first, second = plan(), plan()
    assert training_keys(first) == training_keys(second)
    assert conditions(first) == conditions(second)
    assert len(set(training_keys(first))) == len(first.grid.runs) == 3
    assert len(set(conditions(first).values())) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"split_seed": 43},
        {"train_seeds": [18]},
        {"data_seeds": [1]},
        {"train_sizes": [12]},
        {"recipes": {"tiny": {**RECIPE, "epochs": 3}}},
        {"recipes": {"tiny": {**RECIPE, "tokenise": "apart"}}},
        {"recipes": {"tiny": {**RECIPE, "append_eos": True}}},
        {"limits": {"train_items": 12}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_training_depends_on_changes_its_key_and_no_condition(plan: Plan, change: dict[str, Any]) -> None:
    former, changed = plan(), plan(**change)
    assert not set(training_keys(former)) & set(training_keys(changed))
    assert conditions(former) == conditions(changed)


APART = {"tiny": {**RECIPE, "tokenise": "apart"}}
TEMPLATE = {"chat_template": True, "chat_template_args": {"tone": "curt"}}


@pytest.mark.parametrize(
    ("recipes", "change"),
    [({"tiny": RECIPE}, {"precision": "bf16"}), (APART, {"chat_template": True}), (APART, TEMPLATE)],
    ids=["precision", "chat template of texts apart", "its arguments"],
)
def test_what_scoring_depends_on_changes_every_condition_and_no_training(
    plan: Plan, recipes: dict[str, Any], change: dict[str, Any]
) -> None:
    former, changed = plan(recipes=recipes), plan(recipes=recipes, scoring=change)
    assert not set(conditions(former).values()) & set(conditions(changed).values())
    assert training_keys(former) == training_keys(changed)


def test_a_chat_template_changes_the_training_of_texts_that_are_read_in_it(plan: Plan) -> None:
    plain, chat, curt = (training_keys(plan(scoring=keys)) for keys in ({}, {"chat_template": True}, TEMPLATE))
    assert not set(plain) & set(chat)
    assert not set(chat) & set(curt)


def test_another_engine_for_bf16_changes_the_keys_of_bf16_alone(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = {"exact": RECIPE, "rounded": {**RECIPE, "precision": "bf16"}}

    def keys(precision: str) -> tuple[dict[str, str], dict[str, str]]:
        of_study = plan(recipes=recipes, scoring={"precision": precision})
        return dict(of_study.training_keys), conditions(of_study)

    former = {precision: keys(precision) for precision in ("fp32", "bf16")}
    monkeypatch.setattr(work_keys, "_BF16_SEMANTICS", 3)
    assert keys("fp32")[1] == former["fp32"][1]
    assert not set(keys("bf16")[1].values()) & set(former["bf16"][1].values())
    changed = {name for name, key in keys("fp32")[0].items() if key != former["fp32"][0][name]}
    assert changed == {name for name in former["fp32"][0] if "rounded" in name}


def changed_file(study: Path, name: str) -> None:
    path = study / name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["question"] = "another question?"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_changed_data_change_the_keys_of_their_own_language_alone(study: Path, plan: Plan) -> None:
    file = make_study(study)
    former = plan()
    changed_file(study, "colours-de-train.jsonl")
    changed_file(study, "colours-en-test.jsonl")
    changed = make_workplan(prepare(file, StudyFolder(study / "out")))
    assert {str(run.source) for run in former.grid.runs if former.training_key(run) != changed.training_key(run)} == {
        str(DE)
    }
    before, after = conditions(former), conditions(changed)
    assert {cell for cell in before if before[cell] != after[cell]} == {str(EN)}


def test_an_answer_belongs_to_one_adapter(plan: Plan) -> None:
    one = plan()
    run = one.grid.runs[0]
    keys = {one.scoring_key(run, target, digest) for target in (DE, EN) for digest in (None, "a", "b")}
    assert len(keys) == 6


def test_an_adapter_is_kept_where_every_cell_of_its_source_is_listed(plan: Plan) -> None:
    mix = {"name": "both", "mix": {str(DE): 1, str(EN): 1}}
    sources = [{"task": "colours", "language": "de"}, {"task": "colours", "language": "it"}, mix]
    listed = [{"task": "colours", "language": language} for language in ("de", "it")]

    def kept(keep: Any) -> list[str]:
        made = plan(sources=sources, keep_adapters=keep)
        return [run.source.name for run in made.grid.runs if made.keeps(run)]

    assert kept(listed) == [str(DE), "colours/it"]
    assert kept([*listed, {"task": "colours", "language": "en"}]) == [str(DE), "colours/it", "both"]
    assert kept("none") == []
    assert len(kept("all")) == 3


def test_a_claim_covers_a_training_and_its_checkpoints(plan: Plan) -> None:
    made = plan(checkpoints=[0.5, 1])
    runs: list[Run] = [run for run in made.grid.runs if run.source.name == str(DE)]
    assert len(runs) == 3
    assert len({made.claim_key(run) for run in runs}) == 1
    assert len({made.failure_key(run) for run in runs}) == 3
