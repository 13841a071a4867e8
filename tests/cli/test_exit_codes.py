"""How commands end: one table of exit codes, one line for whatever went wrong, a traceback only on demand."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from donorgrid import pipeline
from donorgrid.cli.exit_codes import EXIT_CODES, end_of
from donorgrid.core.errors import InputError, RunFailure, StoreError, SystemRefusal

ROOT = Path(__file__).parents[2]


def ended(capsys: pytest.CaptureFixture[str], error: BaseException, *, debug: bool = False) -> tuple[int, str]:
    def command() -> None:
        raise error

    code = end_of(command, debug=debug)
    return code, capsys.readouterr().err


def test_the_docs_and_the_help_list_every_exit_code(donorgrid) -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (ROOT / "docs" / "exit-codes.md").read_text(), flags=re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES
    help_text = donorgrid("--help")[1]
    assert all(f"{code}  {meaning}" in help_text for code, meaning in EXIT_CODES.items())


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("x.yaml: no such file"), 2, "x.yaml: no such file"),
        (StoreError("x.parquet: damaged"), 2, "x.parquet: damaged"),
        (SystemRefusal("x: No space left on device"), 74, "x: No space left on device"),
        (PermissionError(13, "Permission denied", "plan.json"), 74, "plan.json: Permission denied"),
        (OSError(28, "No space left on device"), 74, "No space left on device"),
        (MemoryError(), 74, "too little memory: MemoryError"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 74, "too little memory: DefaultCPUAllocator"),
        (ValueError("I/O error: No space left on device (os error 28)"), 74, "No space left on device"),
        (RunFailure("job 1 broke off"), 1, "job 1 broke off"),
        (KeyboardInterrupt(), 130, "interrupted; what was finished is kept"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, 'pip install "donorgrid[train]"'),
    ],
)
def test_an_error_is_one_line_with_its_code(capsys, error: BaseException, code: int, line: str) -> None:
    found, err = ended(capsys, error)
    assert (found, err.count("\n"), line in err) == (code, 1, True), err


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), KeyError("plan"), RecursionError("deep")])
def test_a_fault_of_our_own_is_one_line_and_its_traceback_is_kept(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, err = ended(capsys, error)
    assert (code, err.count("\n")) == (70, 1)
    (kept,) = tmp_path.iterdir()
    assert err.endswith(f"the traceback lies in {kept}\n")
    assert err.startswith(f"error: a fault in donorgrid: {type(error).__name__}")
    assert "Traceback (most recent call last)" in kept.read_text()


def test_debug_shows_the_traceback_wherever_it_stands(
    donorgrid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(pipeline.prepare.inventory, "catalog", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "Traceback" not in donorgrid("tasks", "ls")[2]
    for words in (("--debug", "tasks", "ls"), ("tasks", "ls", "--debug")):
        code, _, err = donorgrid(*words)
        assert (code, "Traceback" in err, "in broken" in err) == (70, True, True)


def test_a_fault_whose_traceback_cannot_be_kept_says_so(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/null/none")
    code, err = ended(capsys, ZeroDivisionError("ours"))
    assert (code, "--debug shows it" in err) == (70, True)


def test_sigterm_is_an_interruption(capsys) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert end_of(lambda: os.kill(os.getpid(), signal.SIGTERM), debug=False) == 130
    assert capsys.readouterr().err == "error: interrupted; what was finished is kept, the same command goes on\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
def test_output_that_cannot_be_written_ends_with_74(target: str) -> None:
    command = [sys.executable, "-m", "donorgrid", "tasks", "ls"]
    if target == "closed":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(target, os.O_WRONLY)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.returncode == 74
    assert done.stderr == ("" if target == "closed" else "error: No space left on device\n")


@pytest.mark.parametrize(
    ("command", "out"), [("simulate", "file.yaml"), ("simulate", "file.yaml/deeper"), ("run s.yaml", "file.yaml")]
)
def test_a_file_in_the_way_of_an_output_folder_is_bad_input(
    donorgrid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.yaml").write_text("kept")
    (tmp_path / "s.yaml").write_text("models: [pocket]\ntasks: [continent]\nlanguages: [de]\n")
    code, _, err = donorgrid(*command.split(), "--out", out)
    assert code == 2, err
    assert "file.yaml" in err
    assert (tmp_path / "file.yaml").read_text() == "kept"


@pytest.mark.parametrize("out", ["/dev/null", "/dev/null/deeper"])
def test_a_device_in_the_way_is_refused_by_the_system(donorgrid, out: str) -> None:
    code, _, err = donorgrid("simulate", "--tasks", "2", "--languages", "2", "--out", out)
    assert code == 74, err
    assert "/dev/null" in err
