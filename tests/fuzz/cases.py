"""One input of the fuzz: the command line in a folder of its own, and what counts as an answer."""

import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from unicodedata import category
from unittest import mock

import typer.main

from donorgrid.cli import main
from donorgrid.core.errors import DonorgridError

LIMIT_S = 20.0
MAY_END_WITH_1 = {"check", "run", "demo", "status", "bench", "tasks"}
"""Commands that end with 1 for a verdict or because some work failed (docs/exit-codes.md)."""
REFUSALS = (
    "Input/output error",
    "File name too long",
    "Is a directory",
    "Not a directory",
    "Too many levels",
    "Permission denied",
    "No space",
)
"""What the operating system may say of a name that stands in an input."""

_HIDDEN, _HARMLESS = ("Cc", "Cf", "Cs", "Zl", "Zp"), "\n\r\t\u200c\u200d\u0600"


_COMMAND_OF = cache(typer.main.get_command)
"""Typer builds its commands anew for every call, which takes half the time of an input."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command with the files of its folder; ``names``: the message of bad input holds one of these."""

    words: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    names: tuple[str, ...]
    copied: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = {
            name: content if len(content) < 3000 else content[:3000] + b"..." for name, content in self.files.items()
        }
        return f"donorgrid {' '.join(map(repr, self.words))}\n  files: {shown}\n  without: {self.without}"


@dataclass(frozen=True)
class Outcome:
    """How a command ended; ``problem`` is None if that is an answer."""

    code: int
    out: str
    err: str
    problem: str | None
    where: str = ""
    seconds: float = 0.0


class Hang(BaseException):
    """The command took longer than ``LIMIT_S``."""


def outcome_of(case: Case, world: Path) -> Outcome:
    """Runs the command in a new folder and judges how it ended.

    Parameters
    ----------
    case : Case
        The input.
    world : Path
        The folder with what ``case.copied`` names.
    """
    box = Path(tempfile.mkdtemp(prefix="fuzz-", dir=world.parent))
    work, kept = box / "commands", box / "kept"
    kept.mkdir()
    try:
        _lay_out(case, world, work)
        begun = time.monotonic()
        code, out, err = _call(case.words, work, kept)
        seconds = time.monotonic() - begun
        strays = sorted(path.name for path in box.iterdir() if path.name not in ("commands", "kept"))
        where = _last_frames(kept)
    finally:
        shutil.rmtree(box, ignore_errors=True)
    problem = f"wrote outside its folder: {strays}" if strays else _problem(case, code, out, err)
    return Outcome(code, out, err, problem, where, seconds)


def _lay_out(case: Case, world: Path, work: Path) -> None:
    work.mkdir()
    for name in case.copied:
        source = world / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, work / name)
    for name in case.without:
        path = work / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for name, content in case.files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if not (work / "llama").exists():
        (work / "llama").symlink_to(world / "llama")


def _call(words: tuple[str, ...], work: Path, kept: Path) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    former = Path.cwd()
    os.chdir(work)
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["donorgrid", *words]),
            mock.patch("typer.main.get_command", _COMMAND_OF),
            mock.patch.object(tempfile, "tempdir", str(kept)),
            mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(work / "cache"), "COLUMNS": "120"}),
            _limited(),
        ):
            main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except Hang as error:
        code = -1
        (kept / "hang.txt").write_text("".join(traceback.format_exception(error)))
    finally:
        os.chdir(former)
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def _problem(case: Case, code: int, out: str, err: str) -> str | None:
    lines = [line for line in err.split("\n") if line.startswith("error: ")]
    if code == -1:
        return f"hang: longer than {LIMIT_S:g} s"
    if code == 0 or (code == 1 and case.words[0] in MAY_END_WITH_1):
        return _unprintable(out)
    if len(lines) != 1 or "Traceback" in err:
        return f"code {code} with {len(lines)} lines of error"
    if code == 74:
        return None if lines[0].endswith(REFUSALS) else "code 74 for an input"
    if code != 2:
        return f"code {code}"
    if not any(str(DonorgridError(name)) in lines[0] for name in case.names):
        return "the message does not name the file"
    return _unprintable(out + lines[0])


def _unprintable(text: str) -> str | None:
    control = next(
        (character for character in text if category(character) in _HIDDEN and character not in _HARMLESS), None
    )
    return None if control is None else f"prints {control!r} as it is"


def _last_frames(kept: Path) -> str:
    for path in kept.glob("*.txt"):
        lines = path.read_text(errors="replace").split("\n")
        ours = [line.strip() for line in lines if "/donorgrid/" in line and line.lstrip().startswith("File")]
        last = [line for line in lines if line and not line.startswith(" ")][-1:]
        return " | ".join([*(line.partition("/donorgrid/")[2] for line in ours[-2:]), *last])[:400]
    return ""
