"""The command line, for tests of what a study's user sees."""

import sys
from collections.abc import Callable

import pytest

from donorgrid.cli import main

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def donorgrid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    """Run the command line: (exit code, standard output, standard error)."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["donorgrid", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call
