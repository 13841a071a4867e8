"""The command line, called as a user calls it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from donorgrid.cli import main

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def donorgrid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Called:
    """Run the command line in ``tmp_path``: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["donorgrid", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call
