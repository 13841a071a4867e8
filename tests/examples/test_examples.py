"""The scripts that readers copy run as they stand."""

import contextlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import yaml
from typer.testing import CliRunner

import donorgrid as dg
from donorgrid.cli.app import app
from donorgrid.plan.files import make_study

ROOT = Path(__file__).parents[2]


def test_the_study_in_python(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "currency.py"), str(tmp_path / "study")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "MT-CL" in done.stdout
    assert (tmp_path / "study" / "report.html").is_file()


def test_controls_and_checkpoints(tmp_path: Path) -> None:
    study, folder = ROOT / "examples" / "controls.yaml", tmp_path / "controls"
    progress = dg.run_study(study, folder, options=dg.RunOptions(jobs=1))
    assert (progress.done, progress.failed) == (1 + 1 + 3 * 3, 0)
    tables = dg.analyse_study(study, folder, change=lambda one: replace(one, n_bootstrap=0, n_permutations=0)).tables
    against = tables["specific_regimes"].filter(pl.col("regime") == "MT-ML").select("control", "checkpoint").rows()
    controls = ("shuffled", "content-free", "few-shot-4")
    assert set(against) == {(control, checkpoint) for control in controls for checkpoint in (None, 0.5, 1.0)}


def test_the_readme_and_the_docs_show_studies_that_can_be_read() -> None:
    shown = [
        yaml.safe_load(text)
        for page in (ROOT / "README.md", ROOT / "docs" / "study-files.md")
        for text in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    ]
    assert len(shown) >= 2
    for study in shown:
        make_study(study, origin="docs")


def test_the_readmes_example_is_the_one_that_is_tested() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    compile(code, "README.md", "exec")
    assert len(code.splitlines()) <= 21
    tested = (ROOT / "examples" / "currency.py").read_text(encoding="utf-8")
    called = set(re.findall(r"dg\.\w+", code))
    assert called == set(re.findall(r"dg\.\w+", tested))


def test_the_example_of_advice_says_what_the_command_says(tmp_path: Path) -> None:
    """Each command of the page runs; the quoted sentence is the first one's, its numbers within 1 pp or point."""
    page = (ROOT / "examples" / "advice" / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^    donorgrid (.*)$", page, flags=re.MULTILINE)
    quoted = " ".join(line.removeprefix("> ") for line in page.splitlines() if line.startswith("> "))
    assert len(commands) == 3
    shutil.copy(ROOT / "examples" / "advice" / "results.csv", tmp_path)
    with contextlib.chdir(tmp_path):
        told = [CliRunner().invoke(app, command.split()) for command in commands]
    assert [done.exit_code for done in told] == [0, 0, 0]
    told_sentence = next(line for line in told[0].output.splitlines() if line.startswith("Train on"))
    number = re.compile(r"\d+\.?\d*")
    quoted, told_sentence = (text.partition("; tied with")[0] for text in (quoted, told_sentence))
    assert number.sub("#", quoted) == number.sub("#", told_sentence)
    pairs = zip(number.findall(quoted), number.findall(told_sentence), strict=True)
    assert all(abs(float(shown) - float(now)) <= 1.0 for shown, now in pairs)
    assert (tmp_path / "advice" / "report.html").is_file()
    assert dg.read_study(tmp_path / "advice" / "next.yaml").sources != "all"
