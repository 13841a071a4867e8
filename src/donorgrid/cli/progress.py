"""Progress of a run, with the time that is left: a bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from donorgrid.pipeline.run import progress as study

_LINE_EVERY_S = 10.0


class ProgressDisplay:
    """Shows a study's progress on a console, and notes above it. ``last`` is the latest progress."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._first: study.Progress | None = None
        self._told_s = -_LINE_EVERY_S
        self._bar: tuple[Progress, TaskID] | None = None
        self.last: study.Progress | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            bar = Progress(*columns, TextColumn("{task.fields[left]}"), console=self._console)
            self._bar = (bar, bar.add_task("baselines and adapters", total=None, left=""))
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
        self._first = self._first or progress
        changed, self.last = progress != self.last, progress
        if self._bar is not None:
            bar, task = self._bar
            settled = progress.done + progress.failed
            bar.update(task, total=progress.total, completed=settled, left=self._text_of_rest(progress))
        elif changed and (self._now() - self._told_s >= _LINE_EVERY_S or not progress.left):
            self._told_s = self._now()
            rest = self._text_of_rest(progress)
            self._console.print(
                f"{progress.done} of {progress.total} baselines and adapters done" + (f", {rest}" if rest else ""),
                soft_wrap=True,
            )

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _text_of_rest(self, progress: "study.Progress") -> str:
        failed = [f"{progress.failed} failed"] if progress.failed else []
        since = progress.done - (self._first.done if self._first else 0)
        if since and progress.left:
            minutes, seconds = divmod(round(self._now() / since * progress.left), 60)
            hours, minutes = divmod(minutes, 60)
            failed.append("about " + (f"{hours} h {minutes} min" if hours else f"{minutes}:{seconds:02d}") + " left")
        return ", ".join(failed)
