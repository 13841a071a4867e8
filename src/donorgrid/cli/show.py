"""What the terminal shows of results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from donorgrid.core import tables
from donorgrid.core.printable_text import readable
from donorgrid.core.records import point_in_words

if TYPE_CHECKING:
    import polars as pl

    from donorgrid.store.logs import Failure


class _PlainConsole(Console):
    """Escapes what nobody sees in a text: a name from a file moves no cursor and turns no line around."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Returns the text, and the cells of tables, with such characters escaped."""
        return super().render_str(readable(text), **options)


def make_console(width: int | None = None) -> Console:
    """Returns a console that prints every text as it is: names of users are no markup and hold no emoji codes."""
    return _PlainConsole(highlight=False, markup=False, emoji=False, width=width)


def show_json(content: Any) -> None:
    """Prints plain data as JSON, with nothing else on standard output."""
    print(json.dumps(content, ensure_ascii=False, indent=1))


def show_regimes(analysed: "Mapping[str, pl.DataFrame]", console: Console) -> None:
    """Prints the table REGIMES: without degenerate targets where there are any, then with them.

    Where sources train on test items, the table without such cells follows.

    Parameters
    ----------
    analysed : mapping of str to DataFrame
        The tables of an analysis.
    console : Console
        Where to print.
    """
    title, n_degenerate = "Transfer by regime", analysed["degenerate"].select("task", "language").n_unique()
    sound = analysed["regimes_sound"]
    if n_degenerate and sound.height:
        plural = "" if n_degenerate == 1 else "s"
        _show_regimes(sound, f"{title}, without {n_degenerate} degenerate target{plural}", console)
        title = f"{title}, all targets"
    elif n_degenerate:
        console.print("No target is sound: the base shows no skill on any, so the numbers say what changed from there.")
    _show_regimes(analysed["regimes"], title, console)
    shared = analysed.get("shared_texts")
    if shared is not None and not shared.is_empty():
        n_pairs = shared.select("source_task", "source_language", "target_task", "target_language").n_unique()
        title = f"Transfer by regime, without {n_pairs} pair{'' if n_pairs == 1 else 's'} with shared texts"
        title += ", sound targets" if n_degenerate and sound.height else ""
        _show_regimes(analysed["regimes_unshared"], title, console)


def _show_regimes(regimes: "pl.DataFrame", title: str, console: Console) -> None:
    several = regimes.select(*tables.ARM).n_unique() > 1
    table = Table(title=f"{title} (deltas in percentage points)")
    columns = ("regime", "cells", "mean", "median", "positive", "harmed")
    for name in (*(["recipe"] if several else []), *columns):
        table.add_column(name, justify="left" if name in ("regime", "recipe") else "right")
    for row in regimes.iter_rows(named=True):
        rates = (f"{100 * row[name]:.1f}%" for name in ("positive_rate", "harm_rate"))
        arm = [_arm_name(row)] if several else []
        table.add_row(*arm, row["regime"], str(row["n"]), f"{row['mean_pp']:+.2f}", f"{row['median_pp']:+.2f}", *rates)
    console.print(table)


def show_failures(failures: "Sequence[Failure]", console: Console, *, study: Path, out: Path | None = None) -> None:
    """Prints one line for every failure, and how their work is tried again.

    Parameters
    ----------
    failures : sequence of Failure
        What failed.
    console : Console
        Where to print.
    study, out : Path
        The study, as the user gave it to the command.
    """
    for failure in failures:
        console.print(f"failed: {_failed_work(failure)}: {failure.reason}", soft_wrap=True)
    if failures:
        command = f"donorgrid run {study}" + (f" --out {out}" if out else "")
        console.print(_how_to_retry(failures, command), soft_wrap=True)


def _how_to_retry(failures: "Sequence[Failure]", command: str) -> str:
    n_passing = sum(failure.passing for failure in failures)
    if n_passing == len(failures):
        return f"{n_passing} failed for want of something that may be there next time: {command}"
    return f"{len(failures)} failed; to try them again: {command} --retry-failed"


def _failed_work(failure: "Failure") -> str:
    parts = [failure.model, failure.source or "baseline"]
    if failure.source is not None:
        parts += [*([failure.recipe] if failure.recipe else []), f"seed {failure.train_seed}"]
    return ", ".join([*parts, *filter(None, [point_in_words(failure.checkpoint, failure.strength)])])


def _arm_name(row: dict[str, Any]) -> str:
    size = [] if row["train_size"] is None else [f"{row['train_size']} texts"]
    point = point_in_words(row["checkpoint"], row["strength"])
    return ", ".join([row["recipe"] or "", *size, *filter(None, [point])])
