"""Modules that are loaded when something of them is first used, so that each command pays for its own imports only.

Who needs one names it twice: under ``TYPE_CHECKING`` as an import, for readers and checkers, and as
``later("pipeline.prepare.steps")`` for the machine.
"""

from importlib import import_module
from typing import Any


class _Later:
    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._module), name)


def later(module: str) -> Any:
    """A module of donorgrid, to be loaded when it is first asked for one of its names."""
    return _Later(f"donorgrid.{module}")
