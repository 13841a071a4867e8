"""Every malformed study is answered by one line that names file, key and what is allowed."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from donorgrid.core.errors import InputError
from donorgrid.plan.files import make_study, read_study, write_study

GOOD = {"models": ["pocket"], "tasks": ["continent"], "languages": ["de"]}
BAD = [
    ({"recipe": 1}, "recipe: unknown key", "'recipes'"),
    ({"harm_limit_pp": -1}, "harm_limit_pp", "greater than 0"),
    ({"train_seeds": [17, 17]}, "train_seeds", "17 is listed twice"),
    ({"sources": ["a"]}, "sources[0]", "task/language"),
    ({"sources": [{"mix": {"a/b": 1.0}, "name": "x"}]}, "sources[0].mix", "at least 2"),
    ({"sources": "al"}, "sources", "'all'"),
    ({"sources": [{"control": "shufled", "of": "a/b"}]}, "sources[0].control", "'shuffled'"),
    ({"sources": [{"control": "few-shot", "of": "a/b"}]}, "sources[0]", "'shots' is missing"),
    ({"sources": [{"control": "few-shot", "of": "a/b", "shots": 0}]}, "sources[0].shots", "greater than or equal to 1"),
    ({"sources": [{"control": "shuffled", "of": "a/b", "shots": 4}]}, "sources[0]", "only few-shot does"),
    ({"sources": [{"control": "few-shot", "of": "a/b", "shot": 4}]}, "sources[0].shot", "did you mean 'shots'"),
    ({"checkpoints": [0]}, "checkpoints[0]", "greater than 0"),
    ({"checkpoints": [1, 1.0]}, "checkpoints", "1.0 is listed twice"),
    ({"checkpoints": [4]}, "checkpoints[0]", "recipe 'lora' ends after 3"),
    ({"recipes": {"untrained": "pocket"}}, "recipes", "kept for what is not trained"),
    ({"models": [{"idd": "x"}]}, "models[0].idd", "'id'"),
    ({"recipes": {"p": {"preset": "papr"}}}, "recipes.p", "'paper'"),
    ({"recipes": {"p": {"ranc": 3}}}, "recipes.p.ranc", "'rank'"),
    ({"recipes": {"p": {"rank": "x"}}}, "recipes.p.rank", "integer"),
    ({"models": [{"id": "pocket", "weights": "8bit"}]}, "models[0].weights", "'4bit'"),
    (
        {"models": [{"id": "pocket", "weights": "4bit"}], "recipes": {"p": {"method": "full"}}},
        "recipe 'p' trains all weights",
        "a study of its own",
    ),
    ({"recipes": {"p": {"method": "ful"}}}, "recipes.p.method", "'full'"),
    ({"recipes": {"p": {"method": "full", "rank": 8}}}, "recipes.p", "leave out rank"),
    ({"recipes": {"p": {"preset": "paper", "method": "full", "dropout": 0.1}}}, "recipes.p", "leave out dropout"),
    ({"metric": "accnorm"}, "metric", "'acc_norm'"),
    ({"scoring": {"precision": "fp8"}}, "scoring.precision", "'bf16'"),
    ({"languages": ["../x"]}, "languages[0]", "letters"),
    ({"models": ["a/x", "b/x"]}, "two models", "'name'"),
    ({"keep_adapters": "non"}, "keep_adapters", "'none'"),
    ({"data_seeds": [1, 2]}, "data_seeds", "train_sizes"),
    ({"tasks": "x"}, "tasks", "list"),
]


@pytest.mark.parametrize(("change", "place", "allowed"), BAD)
def test_one_line_names_the_key_and_what_is_allowed(change: dict, place: str, allowed: str) -> None:
    with pytest.raises(InputError) as found:
        make_study({**GOOD, **change}, origin="mine.yaml")
    message = str(found.value)
    assert message.startswith("mine.yaml: ")
    assert place in message
    assert allowed in message
    assert "\n" not in message


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("models: [pocket]\nmodels: [other]\ntasks: [continent]\nlanguages: [de]\n")
    with pytest.raises(InputError, match="line 2: key 'models' stands twice"):
        read_study(path)


def test_the_resolved_study_reads_back_equal(tmp_path: Path) -> None:
    recipes = {"mine": "pocket", "whole": {"preset": "pocket", "method": "full", "learning_rate": 1e-4}}
    study = make_study({**GOOD, "recipes": recipes}, origin="x")
    write_study(study, tmp_path / "study.yaml")
    assert read_study(tmp_path / "study.yaml") == study
    assert (tmp_path / "study.yaml").read_text().count("rank:") == 1  # a full fine-tuning has none
    assert "harm_limit_pp: 1.0" in (tmp_path / "study.yaml").read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"languages": ["xx"]},
        {"tasks": ["contnent"]},
        {"models": ["no/such"]},
        {"keep_adapters": ["contnent/de"]},
        {"sources": ["continent/de"], "languages": ["de", "en"], "keep_adapters": ["continent/en"]},
        {"recipes": {"bad": {"target_modules": ["nope"]}}},
    ],
)
def test_the_command_answers_with_one_line_and_exit_code_2(tmp_path: Path, change: dict) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **change}))
    done = subprocess.run(
        [sys.executable, "-c", "from donorgrid.cli import main; main()", "run", str(path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


def test_a_data_file_may_name_its_columns(tmp_path: Path) -> None:
    tasks = ["continent", {"task": "quiz.csv", "columns": {"question": "text", "choices": ["a", "b"]}}]
    study = make_study({**GOOD, "tasks": tasks}, origin="x")
    write_study(study, tmp_path / "study.yaml")
    assert yaml.safe_load((tmp_path / "study.yaml").read_text())["tasks"] == tasks
    assert read_study(tmp_path / "study.yaml") == study
    with pytest.raises(InputError, match=r"tasks\[0\]\.colums: unknown key.*did you mean 'columns'"):
        make_study({**GOOD, "tasks": [{"task": "quiz.csv", "colums": {}}]}, origin="x")


def test_numbers_as_people_write_them_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("models: [pocket]\ntasks: [continent]\nlanguages: [de]\nrecipes: {a: {learning_rate: 5e-5}}\n")
    assert read_study(path).recipes["a"].learning_rate == 5e-5


def test_no_is_norwegian_and_a_truth_value_where_one_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "models: [pocket]\ntasks: [continent]\nlanguages: [no, de]\nkeep_adapters: none\n"
        "scoring: {chat_template: yes, enable_thinking: off, chat_template_args: {mode: 'on', deep: no}}\n"
    )
    study = read_study(path)
    assert study.languages[0] == "no"
    assert study.scoring.chat_template is True
    assert study.scoring.chat_template_args == {"enable_thinking": False, "mode": "on", "deep": False}
