"""donorgrid's version, as the installed package states it; pyproject.toml defines it."""

from importlib.metadata import PackageNotFoundError, version

UNKNOWN_VERSION = "0+unknown"
"""The version of a source tree that is not installed, in the form that PEP 440 gives to such versions."""


def installed_version() -> str:
    """Returns the installed version, or ``UNKNOWN_VERSION`` for a source tree that is on the path only."""
    try:
        return version("donorgrid")
    except PackageNotFoundError:
        return UNKNOWN_VERSION


__version__ = installed_version()
