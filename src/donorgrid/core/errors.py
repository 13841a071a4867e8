"""The errors of the domain. Each message is one line: what was found, where, and what is allowed."""

import difflib
from collections.abc import Iterable


class DonorgridError(Exception):
    """Base of every error that donorgrid raises on purpose. Its message is one line, whatever the user's text holds."""

    def __init__(self, message: object) -> None:
        super().__init__("".join(one if one.isprintable() else _escaped(one) for one in str(message)))


class InputError(DonorgridError):
    """What the user gave cannot be used. The command line answers with this one line and exit code 2."""


class StoreError(DonorgridError):
    """A file of a study is damaged, or belongs to other work than its name says."""


class RunFailure(DonorgridError):
    """One piece of work failed (a diverged training, for example). It is recorded; the others go on."""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest allowed name, or an empty string."""
    near = difflib.get_close_matches(name, [str(one) for one in allowed], n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
