"""Without the extra ``train``, everything that needs no model works, and every other request is one line.

The packages of the extra are hidden in a process of its own, as if they were not installed.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from donorgrid.core.extras import TRAINING_PACKAGES
from running import run_here
from worlds import make_study

LIGHT = {
    "export table": ["export", "table", "{study}", "deltas.csv"],
    "import table": ["import", "table", "deltas.csv", "--out", "imported"],
    "analyse": ["analyse", "imported"],
    "report": ["report", "imported"],
    "power": ["power", "--models", "3"],
    "simulate": ["simulate", "--models", "2", "--tasks", "2", "--languages", "3", "--items", "20", "--out", "drawn"],
    "tasks ls": ["tasks", "ls"],
    "tasks show": ["tasks", "show", "{study}/../colours.yaml"],
    "models": ["models"],
    "init": ["init", "new.yaml"],
    "status": ["status", "{study}"],
    "report of a study": ["report", "{study}"],
    "export adapter": ["export", "adapter", "{study}", "--source", "colours/de", "--out", "adapter"],
    "export training": ["export", "training", "{study}", "--source", "colours/de", "--out", "job"],
    "export lm-eval": ["export", "lm-eval", "{study}/../colours.yaml", "-l", "de", "--out", "tasks"],
    "pocket write": ["pocket", "write", "--out", "base"],
}
HEAVY = {
    "run": ["run", "{study}"],
    "check": ["check", "pocket", "adapter", "--guard", "currency:de"],
    "plan": ["plan", "{study}", "--no-trial"],
    "plan with a trial": ["plan", "{study}"],
    "demo": ["demo", "--out", "demonstration"],
    "pocket train": ["pocket", "train", "--out", "trained"],
    "tasks show --tokenizer": ["tasks", "show", "currency", "--tokenizer", "pocket"],
    "bench": ["bench"],
    "a model of the hub": ["models", "some/model"],
}
PROGRAM = """
import contextlib, io, json, sys
from importlib.machinery import PathFinder

hidden, commands = json.loads(sys.argv[1]), json.loads(sys.argv[2])

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else PathFinder.find_spec(name, path, target)

sys.meta_path = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
import donorgrid
from donorgrid.cli import main

answers = {}
for name, words in commands.items():
    sys.argv = ["donorgrid", *words]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    answers[name] = [code, err.getvalue()]
for name, call in {
    "run_study": lambda: donorgrid.run_study("study.yaml"),
    "run_demo": lambda: donorgrid.run_demo("demonstration"),
    "plan_study": lambda: donorgrid.plan_study("study.yaml"),
    "run_check": lambda: donorgrid.run_check(None),
}.items():
    try:
        call()
    except donorgrid.InputError as error:
        answers[name] = [2, f"{error}\\n"]
print(json.dumps({"answers": answers, "loaded": sorted(set(hidden) & set(sys.modules))}))
"""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The exit code and the standard error of every command, and which hidden packages were loaded: none can be."""
    root = tmp_path_factory.mktemp("light")
    run_here(make_study(root, limits={"train_items": 12, "test_items": 8}), root / "tiny")
    commands = {
        name: [str(word).replace("{study}", str(root / "tiny")) for word in words]
        for name, words in (LIGHT | HEAVY).items()
    }
    arguments = (json.dumps(TRAINING_PACKAGES), json.dumps(commands))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    assert not (root / "demonstration").exists()
    assert not (root / "trained").exists()
    return answered


def test_no_package_of_the_extra_is_loaded(answered: dict[str, Any]) -> None:
    assert answered["loaded"] == []


@pytest.mark.parametrize("command", LIGHT)
def test_what_needs_no_model_works(answered: dict[str, Any], command: str) -> None:
    assert answered["answers"][command] == [0, ""]


@pytest.mark.parametrize("command", [*HEAVY, "run_study", "run_demo", "plan_study", "run_check"])
def test_what_trains_or_scores_names_the_extra_in_one_line(answered: dict[str, Any], command: str) -> None:
    code, message = answered["answers"][command]
    assert code == 2
    assert message.count("\n") == 1
    assert message.endswith('which is not installed: pip install "donorgrid[train]"\n')
