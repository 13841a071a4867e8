"""The exit code of a check: what continuous integration acts on."""

from donorgrid.check.records import CheckResult

SAFE, NOT_SAFE = 0, 1


def exit_code(result: CheckResult, *, allow_undecided: bool = False) -> int:
    """0 only if every guard of every adapter is safe (or, where that is allowed, undecided), else 1."""
    allowed = {"safe", "undecided"} if allow_undecided else {"safe"}
    passed = all(guard.verdict in allowed for adapter in result.adapters for guard in adapter.guards)
    return SAFE if passed else NOT_SAFE
