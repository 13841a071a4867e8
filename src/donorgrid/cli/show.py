"""What the terminal shows: progress with the time left, and the regimes table."""

import time
from types import TracebackType
from typing import Self

import polars as pl
from rich.console import Console
from rich.table import Table

from donorgrid.pipeline.progress import Progress

_LINE_EVERY_S = 10.0


class ProgressLine:
    """Tells of progress: a line that renews itself on a terminal, a plain line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._first: Progress | None = None
        self._told = -_LINE_EVERY_S
        self.last: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._console.print()

    def __call__(self, progress: Progress) -> None:
        """Tell of ``progress``."""
        self._first = self._first or progress
        self.last = progress
        now = time.monotonic() - self._start
        if self._console.is_terminal:
            self._console.print(f"\r{self._text(progress, now)}", end="", soft_wrap=True)
        elif now - self._told >= _LINE_EVERY_S or (progress.left == 0 and self._told >= 0):
            self._told = now
            self._console.print(self._text(progress, now), soft_wrap=True)

    def _text(self, progress: Progress, now: float) -> str:
        failed = f", {progress.failed} failed" if progress.failed else ""
        return f"{progress.done}/{progress.total} baselines and adapters done{failed}{self._left(progress, now)}   "

    def _left(self, progress: Progress, now: float) -> str:
        since = progress.done - (self._first.done if self._first else 0)
        if not since or not progress.left:
            return ""
        minutes, seconds = divmod(round(now / since * progress.left), 60)
        return f", about {minutes}:{seconds:02d} left"


def show_regimes(regimes: pl.DataFrame, console: Console) -> None:
    """Print the regimes table."""
    table = Table(title="Transfer by regime (deltas in percentage points)")
    for name in ("regime", "cells", "mean", "median", "positive", "harmed"):
        table.add_column(name, justify="left" if name == "regime" else "right")
    for row in regimes.iter_rows(named=True):
        rates = (f"{100 * row[name]:.1f}%" for name in ("positive_rate", "harm_rate"))
        table.add_row(row["regime"], str(row["n"]), f"{row['mean_pp']:+.2f}", f"{row['median_pp']:+.2f}", *rates)
    console.print(table)
