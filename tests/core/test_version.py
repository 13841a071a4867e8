"""The version stands in pyproject.toml only; a source tree that is not installed says so."""

from importlib import metadata

import pytest

import donorgrid
from donorgrid.core import version


def test_the_version_is_the_installed_packages() -> None:
    assert donorgrid.__version__ == metadata.version("donorgrid")


def test_a_source_tree_that_is_not_installed_has_an_unknown_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(version, "version", not_installed)
    assert version.installed_version() == "0+unknown"
