"""The exit code of a check, on which continuous integration acts."""

from donorgrid.check.results import CheckResult

SAFE, NOT_SAFE = 0, 1


def exit_code(result: CheckResult, *, allow_undecided: bool = False) -> int:
    """The exit code of a check.

    Parameters
    ----------
    result
        The whole check.
    allow_undecided
        Whether undecided guards pass.

    Returns
    -------
    int
        0 if every guard of every adapter is safe (or undecided, where that passes), otherwise 1.
    """
    allowed = {"safe", "undecided"} if allow_undecided else {"safe"}
    passed = all(guard.verdict in allowed for adapter in result.adapters for guard in adapter.guards)
    return SAFE if passed else NOT_SAFE
