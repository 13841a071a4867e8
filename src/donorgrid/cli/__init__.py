"""The command line."""

from donorgrid.cli.app import main

__all__ = ["main"]
