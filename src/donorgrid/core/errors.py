"""The errors of the domain. A message is one line: what was found, where, and what is allowed."""

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class DonorgridError(Exception):
    """Base of every error that donorgrid raises. Control characters in the message are escaped: it stays one line."""

    def __init__(self, message: object) -> None:
        super().__init__("".join(char if char.isprintable() else _escaped(char) for char in str(message)))


class InputError(DonorgridError):
    """Input that cannot be used. The command line prints the message and exits with code 2."""


class StoreError(DonorgridError):
    """A file of a study is damaged, or holds other work than its name says. Exit code 2, as for other input."""


class SystemRefusal(DonorgridError):
    """The operating system refused: a full or read-only disk, a missing right, too little memory. Exit code 74."""


class Fault(DonorgridError):
    """A fault in donorgrid itself; its traceback lies where the message says. Exit code 70."""


class RunFailure(DonorgridError):
    """One piece of work failed, such as a diverged training. It is recorded, and the other work continues.

    Exit code 1 where a command ends with it.
    """


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Names a file in errors about it.

    Parameters
    ----------
    where : str
        The file. An error in the body about input that does not name it is raised again with it in front.
    """
    try:
        yield
    except (SystemRefusal, StoreError, Fault, RunFailure):
        raise
    except DonorgridError as error:
        if where in str(error):
            raise
        raise InputError(f"{where}: {error}") from error


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Suggests an allowed name for a misspelt one.

    Parameters
    ----------
    name : str
        What the user wrote.
    allowed : iterable of str
        The allowed names.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` for the nearest allowed name; an empty string if none is near.
    """
    near = difflib.get_close_matches(name, [str(candidate) for candidate in allowed], n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
