"""Progress of a run, with the time that is left: a bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from donorgrid.pipeline.run import progress as study

_LINE_EVERY_S = 10.0
_QUIET_S = 30.0
"""Off a terminal, what is done is said at most every 10 seconds, and work in hand every 30."""
_MOST_SHOWN = 2
"""Of so many processes the line says what they work on."""


class ProgressDisplay:
    """Shows a study's progress on a console, and notes above it. ``last`` is the latest progress."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._told_s = -_LINE_EVERY_S
        self._bar: tuple[Progress, TaskID] | None = None
        self.last: study.Progress | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.fields[text]}"))
            bar = Progress(*columns, console=self._console)
            self._bar = (bar, bar.add_task("", total=1.0, text=""))
            bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def note(self, text: str) -> None:
        """Print a line that the user should read."""
        self._console.print(f"note: {text}", soft_wrap=True)

    def __call__(self, progress: "study.Progress") -> None:
        """Show how far the study is."""
        changed = self.last is None or progress.done + progress.failed != self.last.done + self.last.failed
        self.last = progress
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, completed=progress.share, text=_text(progress))
        elif self._now() - self._told_s >= (_LINE_EVERY_S if changed else _QUIET_S) or (changed and not progress.left):
            self._told_s = self._now()
            self._console.print(_text(progress), soft_wrap=True)

    def _now(self) -> float:
        return time.monotonic() - self._began


def _text(progress: "study.Progress") -> str:
    """One line: ``3 of 20 baselines and adapters done, 17% of the work, about 4:10 left; training …``."""
    parts = [f"{progress.done} of {progress.total} baselines and adapters done"]
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.left:
        parts.append(f"{100 * progress.share:.0f}% of the work")
        if progress.seconds_left is not None:
            parts.append(f"about {_duration(progress.seconds_left)} left")
    shown = [*progress.in_hand[:_MOST_SHOWN], *(["…"] if len(progress.in_hand) > _MOST_SHOWN else [])]
    return "; ".join([", ".join(parts), *shown])


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes}:{rest:02d}"
