"""A fresh environment with ``pip install donorgrid`` alone: a result table becomes a report, without torch."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from donorgrid.core.extras import TRAINING_PACKAGES

ROOT = Path(__file__).parents[2]
QUIET = ("--disable-pip-version-check", "--quiet", "--retries", "0")


def pip(*words: object, python: str | None = None) -> subprocess.CompletedProcess[str]:
    target = [] if python is None else ["--python", python]
    return subprocess.run(
        [sys.executable, "-m", "pip", *target, *map(str, words)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The ``bin`` folder of a new virtual environment with donorgrid and what it requires."""
    root = tmp_path_factory.mktemp("fresh")
    reached = pip("download", *QUIET, "--no-deps", "--dest", root / "probe", "lazy-loader")
    if reached.returncode:
        pytest.skip(f"no package index can be reached: {(reached.stderr.strip() or 'pip is missing').splitlines()[-1]}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / "venv")], check=True)
    words = ("install", *QUIET, "--no-compile", "--constraint", ROOT / "constraints.txt", ROOT)
    installed = pip(*words, python=str(root / "venv" / "bin" / "python"))
    assert installed.returncode == 0, installed.stderr
    yield root / "venv" / "bin"
    shutil.rmtree(root)  # some hundred megabytes


def run(command: list[object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command that finds nothing but the environment: no path of the source tree, no user's packages."""
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONNOUSERSITE": "1"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=folder, env=bare, check=False)


def test_nothing_of_the_extra_is_installed(binaries: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.util import find_spec; import donorgrid\n"
        f"print([name for name in {TRAINING_PACKAGES!r} if find_spec(name)], donorgrid.__file__, donorgrid.__version__)"
    )
    done = run([binaries / "python", "-c", code], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    installed, file, version = done.stdout.rsplit(maxsplit=2)
    assert installed == "[]"
    assert Path(file).is_relative_to(binaries.parent)
    assert version != "0+unknown"


def test_a_result_table_becomes_a_report_and_a_run_is_one_line(binaries: Path, tmp_path: Path) -> None:
    donorgrid = binaries / "donorgrid"
    grid = ("--models", 2, "--tasks", 2, "--languages", 3, "--items", 20, "--seeds", 1)
    drawn = run([donorgrid, "simulate", "--out", "drawn", *grid], tmp_path)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    (table,) = (path for path in (tmp_path / "drawn").iterdir() if "truth" not in path.name)
    for words in (["import", "table", table, "--out", "imported"], ["analyse", "imported"], ["report", "imported"]):
        done = run([donorgrid, *words], tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), words
    assert "<!doctype html>" in (tmp_path / "imported" / "report.html").read_text(encoding="utf-8").lower()
    refused = run([donorgrid, "run", "study.yaml"], tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == 'error: run needs torch, which is not installed: pip install "donorgrid[train]"\n'
