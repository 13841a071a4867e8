"""The command line as its user meets it: words, files, exit codes."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from running import run_here
from worlds import RECIPE, make_study


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished 3 x 3 study."""
    root = tmp_path_factory.mktemp("finished")
    run_here(make_study(root, limits={"train_items": 12, "test_items": 8}), root / "tiny")
    return root / "tiny"


def test_the_whole_way_by_hand(donorgrid, tmp_path: Path) -> None:
    file = make_study(tmp_path, limits={"train_items": 12, "test_items": 8})
    code, out, _ = donorgrid("plan", file)
    assert code == 0
    assert "3 sources x 3 targets" in out
    assert "by a measured trial" in out
    code, out, _ = donorgrid("run", file, "--jobs", 1, "--limit", 2)
    assert (code, "2 of 4 done, 0 failed, 2 left" in out) == (0, True)
    code, out, _ = donorgrid("run", file, "--jobs", 1)
    assert (code, "4 of 4 done" in out) == (0, True)
    assert donorgrid("status", file)[1].startswith("4 of 4 done, 0 failed, 0 left")
    code, out, _ = donorgrid("analyse", tmp_path / "tiny")
    assert (code, "MT-CL" in out) == (0, True)
    code, out, _ = donorgrid("report", tmp_path / "tiny")
    assert code == 0
    assert str(tmp_path / "tiny" / "report.html") in out.replace("\n", "")
    page = (tmp_path / "tiny" / "report.html").read_text()
    assert "torch" in page  # the versions that the run noted


def test_machines_get_json_alone(donorgrid, finished: Path) -> None:
    assert json.loads(donorgrid("status", finished, "--json")[1]) == {
        "done": 4,
        "failed": 0,
        "total": 4,
        "left": 0,
        "failures": [],
    }
    plan = json.loads(donorgrid("plan", finished, "--no-trial", "--json")[1])
    assert plan["seconds"] is None
    assert plan["models"][0]["n_adapters"] == 3
    assert {row["regime"] for row in json.loads(donorgrid("analyse", finished, "--json")[1])["regimes"]} >= {"MT-CL"}
    tasks = {one["name"]: one for one in json.loads(donorgrid("tasks", "ls", "--json")[1])}
    assert tasks["hellaswag"]["licence"] == "CC-BY-NC-4.0"
    assert json.loads(donorgrid("models", "--json")[1])[0]["n_parameters"] == 1_524_864


def test_a_failed_run_is_listed_with_its_reason_and_exit_code_1(donorgrid, tmp_path: Path) -> None:
    wild = {**RECIPE, "learning_rate": 1.0, "max_grad_norm": 1e30, "alpha": 1e30}
    file = make_study(tmp_path, recipes={"wild": wild}, limits={"train_items": 12, "test_items": 4})
    code, out, _ = donorgrid("run", file, "--jobs", 1)
    assert code == 1
    assert out.count("failed: llama, colours/") == 3
    code, out, _ = donorgrid("status", file)
    assert (code, out.count("failed: ")) == (1, 3)
    code, _, err = donorgrid("analyse", file)
    assert code == 2
    assert "no run and its baseline are finished" in err


def test_tables_are_analysed_without_a_study(donorgrid, finished: Path, tmp_path: Path) -> None:
    donorgrid("analyse", finished)
    table = finished / "tables" / "deltas.csv"
    code, out, _ = donorgrid("report", table, "--out", tmp_path / "elsewhere", "--harm", 2.5)
    assert (code, "transfer" in out) == (0, True)
    again = pl.read_csv(tmp_path / "elsewhere" / "tables" / "regimes.csv")
    ours = pl.read_csv(finished / "tables" / "regimes.csv")
    assert again["mean_pp"].to_list() == pytest.approx(ours["mean_pp"].to_list())
    assert again["harm_limit_pp"].to_list() == [2.5] * again.height
    assert (tmp_path / "elsewhere" / "report.html").is_file()


def test_an_item_is_shown_whole(donorgrid, finished: Path) -> None:
    code, out, _ = donorgrid("tasks", "show", "currency", "-l", "de", "--tokenizer", "pocket")
    assert code == 0
    assert "⟦" in out
    assert "right ->" in out
    code, out, _ = donorgrid("tasks", "validate", finished.parent / "colours.yaml")
    assert (code, "test: 12 items, the same IDs in 3 languages" in out) == (0, True)


def test_a_data_file_with_other_columns_is_shown_and_validated(donorgrid, tmp_path: Path) -> None:
    (tmp_path / "quiz.csv").write_text("lang,Frage,A,B,gut\nde,Was?,ja,nein,nein\n")
    named = ["language=lang", "question=Frage", "choices=A", "choices=B", "answer=gut"]
    options = [word for one in named for word in ("--columns", one)]
    code, out, err = donorgrid("tasks", "show", tmp_path / "quiz.csv", *options)
    assert (code, "right -> ' nein'" in out, "Question: Was?" in out) == (0, True, True), err
    code, out, _ = donorgrid("tasks", "validate", tmp_path / "quiz.csv", *options)
    assert (code, "test 1 of 1" in out) == (0, True)
    exported = ("export", "lm-eval", tmp_path / "quiz.csv", "--language", "de", "--out", tmp_path / "out")
    assert donorgrid(*exported, *options)[0] == 0
    code, _, err = donorgrid("tasks", "show", tmp_path / "quiz.csv", *options[2:])
    assert (code, "column 'language' (language) is missing" in err) == (2, True)


def test_the_pocket_model_is_written_into_a_folder_that_loads(donorgrid, tmp_path: Path) -> None:
    code, out, _ = donorgrid("pocket", "write", "--out", tmp_path / "pocket")
    assert code == 0
    assert "the base model 'pocket'" in out
    known = json.loads(donorgrid("models", "pocket", tmp_path / "pocket", "--json")[1])
    assert len({one["weights_digest"] for one in known}) == 1
    assert donorgrid("pocket", "write", "--out", tmp_path / "pocket")[0] == 2


BAD = {
    "no command of that name": (["rum"], "No such command"),
    "no such option": (["run", "x.yaml", "--shrad", "1/2"], "--shard"),
    "no study file": (["run", "x.yaml"], "x.yaml: no such file"),
    "no study folder": (["status", "x"], "x: no such file or folder"),
    "a shard out of range": (["run", "x.yaml", "--shard", "3/2"], "1 <= i <= n"),
    "no such device": (["run", "{study}", "--device", "cuda"], "allowed are 'auto', 'cpu'"),
    "no such metric": (["analyse", "{study}", "--metric", "f1"], "acc, acc_norm"),
    "a harm limit below zero": (
        ["analyse", "{study}", "--harm", "-1"],
        "harm limit -1: expected percentage points above 0",
    ),
    "a harm limit of zero": (["report", "{study}", "--harm", "0"], "harm limit 0: expected percentage points above 0"),
    "a spread of no component": (["simulate", "--spread", "sauce=1"], "--spread 'sauce' is not one of"),
    "a spread below zero": (["simulate", "--spread", "source=-1"], "--spread 'source' is -1: expected 0 or more"),
    "a spread that is no number": (["simulate", "--spread", "source=nan"], "--spread 'source' is nan: expected"),
    "a donor that is no cell": (["simulate", "--donor", "task1/l99=1"], "--donor 'task1/l99' is not one of"),
    "a flip rate above one": (["simulate", "--flip-rate", "1.5"], "--flip-rate 1.5: expected a share"),
    "columns of a task that has its own": (
        ["tasks", "show", "currency", "--columns", "question=q"],
        "task 'currency': columns (question) can be named for a plain data file only",
    ),
    "a column map without a column": (
        ["tasks", "validate", "x.csv", "--columns", "question"],
        "--columns 'question': expected NAME=COLUMN",
    ),
    "no such preset": (["init", "new.yaml", "--preset", "pokcet"], "did you mean 'pocket'"),
    "no such task": (["tasks", "show", "curency"], "did you mean 'currency'"),
    "no such language": (["tasks", "show", "currency", "-l", "xx"], "it has ar, bn"),
    "no such item": (["tasks", "show", "currency", "--item", "no"], "no item has the ID 'no'"),
    "no such model": (["models", "nowhere/none"], "not in the hub's cache"),
    "no such table": (["analyse", "none.csv"], "no such file"),
    "no such precision": (["bench", "--precision", "fp8"], "fp32, bf16"),
    "an extra that is not installed": (["analyse", "{study}", "--typology"], "donorgrid[typology]"),
    "two studies at once": (["analyse", "{study}", "{study}"], "one study at a time"),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_line_and_exit_code_2(donorgrid, finished: Path, words: str) -> None:
    given, expected = BAD[words]
    code, out, err = donorgrid(*(str(finished) if one == "{study}" else one for one in given))
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert expected in err


def test_init_writes_every_default_and_overwrites_nothing(donorgrid, tmp_path: Path) -> None:
    assert donorgrid("init", "mine.yaml")[0] == 0
    written = yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert written["harm_limit_pp"] == 1.0
    assert written["recipes"]["pocket"]["dropout"] == 0.0
    assert donorgrid("init", "mine.yaml")[0] == 2


def test_the_version_is_said(donorgrid) -> None:
    code, out, _ = donorgrid("--version")
    assert code == 0
    assert out.startswith("donorgrid 0.")
