"""How a command ends: the exit codes, one line for whatever went wrong, and where the traceback of a fault lies."""

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from donorgrid.core.errors import DonorgridError, Fault, InputError, RunFailure, StoreError, SystemRefusal
from donorgrid.core.extras import TRAINING_PACKAGES, missing_training
from donorgrid.core.faults import keep_traceback
from donorgrid.core.system_refusals import system_refusal

DONE, FAILED, BAD_INPUT, FAULT, REFUSED, INTERRUPTED = 0, 1, 2, 70, 74, 130
EXIT_CODES = {
    DONE: "done",
    FAILED: "a verdict of 'check', or some work failed ('run', 'demo', 'status', 'bench', 'tasks validate')",
    BAD_INPUT: "input that cannot be used: options, files, tables, models, or a damaged study",
    FAULT: "a fault in donorgrid: one line says where the traceback lies; --debug shows it",
    REFUSED: "the operating system refused: a full or read-only disk, a missing right, too little memory",
    INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; the same command goes on",
}
"""Every exit code with its meaning. docs/exit-codes.md has the same table, and a test compares them."""

_CODE_OF = {InputError: BAD_INPUT, StoreError: BAD_INPUT, SystemRefusal: REFUSED, Fault: FAULT, RunFailure: FAILED}
_WRONG_NAMES = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.EEXIST}
_INTERRUPTION = "interrupted; what was finished is kept, the same command goes on"


def end_of(command: Callable[[], object], *, debug: bool) -> int:
    """Runs a command and returns its exit code; whatever went wrong is one line on standard error.

    Parameters
    ----------
    command : callable
        Returns an exit code, or None for 0.
    debug : bool
        Whether the traceback of a fault is printed.

    Returns
    -------
    int
        A key of ``EXIT_CODES``.
    """
    try:
        with _sigterm_interrupts():
            code = command() or DONE
            sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except SystemExit as error:  # Rich leaves so when nobody reads its output any more
        return REFUSED if isinstance(error.__context__, BrokenPipeError) else _closed(error.code)
    except Exception as error:  # noqa: BLE001 - the border of the program: one line for whatever it is
        return _complain(error, debug=debug)
    if code == INTERRUPTED:  # Typer answers Ctrl-C with this code and no word
        print(f"error: {_INTERRUPTION}", file=sys.stderr)
    return code if isinstance(code, int) else DONE


def _complain(error: Exception, *, debug: bool) -> int:
    """Prints one line about an error and returns the exit code that goes with it."""
    if isinstance(error, BrokenPipeError):
        return _closed(REFUSED)
    message, code = _line_and_code(error)
    if debug:
        traceback.print_exception(error)
    print(f"error: {DonorgridError(message)}", file=sys.stderr)
    return code


def _line_and_code(error: Exception) -> tuple[str, int]:
    refusal = system_refusal(error)
    if isinstance(error, DonorgridError):
        code = next((code for kind, code in _CODE_OF.items() if isinstance(error, kind)), BAD_INPUT)
        return str(error), REFUSED if code == BAD_INPUT and _is_refusal(error.__cause__) else code
    if isinstance(error, ModuleNotFoundError) and (package := str(error.name).partition(".")[0]) in TRAINING_PACKAGES:
        return str(missing_training("this command", package)), BAD_INPUT
    if refusal is not None:
        return str(refusal), REFUSED
    if hasattr(error, "format_message"):  # a usage error of the option parser
        return str(error.format_message()), BAD_INPUT
    return str(keep_traceback(error)), FAULT


def _is_refusal(cause: BaseException | None) -> bool:
    """True if an input cannot be used because the system refuses it; a wrong name is no refusal."""
    return isinstance(cause, OSError) and cause.errno is not None and cause.errno not in _WRONG_NAMES


def _closed(code: object) -> int:
    """Returns an exit code after standard output was closed: what is left in its buffer goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code if isinstance(code, int) else FAULT


@contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """SIGTERM in the body is a KeyboardInterrupt, so that a command puts down what it holds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
