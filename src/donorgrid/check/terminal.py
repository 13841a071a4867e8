"""What the terminal shows: a table that fits 100 columns, and the sentences under it."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from donorgrid.check.formatting import count, interval_pp, percent, signed_pp, targets_in_words
from donorgrid.check.results import AdapterVerdict, CheckResult, TargetVerdict
from donorgrid.check.sentences import conclusion, next_steps
from donorgrid.check.strength_words import choice_sentence
from donorgrid.check.verdict_words import interval_in_words, verdict_in_words
from donorgrid.core.printable_text import printable

WIDTH = 100
_STYLES = {"safe": "green", "gained": "green", "harmed": "bold red", "lost": "bold red", "undecided": "yellow"}
_COLUMNS = ("items", "base", "adapter", "delta pp", "interval", "lost", "gained", "verdict", "to decide")


def result_table(adapter: AdapterVerdict, result: CheckResult) -> Table:
    """The verdicts on one adapter as a table.

    Parameters
    ----------
    adapter
        The verdicts.
    result
        The check that they belong to.

    Returns
    -------
    rich.table.Table
        Never wider than ``WIDTH``; degenerate guards come last.
    """
    confidence = f"{100 * result.settings.confidence:.0f}%"
    table = Table(
        title=Text(printable(f"{adapter.name} against {result.base}, limit {signed_pp(-result.settings.limit_pp)} pp")),
        caption=Text(
            f"base, adapter: % correct; {confidence} intervals of the paired difference; to decide: items needed"
        ),
        box=None,
        pad_edge=False,
        width=WIDTH,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("target", overflow="fold", ratio=1)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    for title, targets in (
        ("to gain on", adapter.on),
        ("guarded", [target for target in adapter.guards if target.degenerate is None]),
        ("not judged", [target for target in adapter.guards if target.degenerate is not None]),
    ):
        _add_rows(table, title, targets, result.settings.limit_pp)
    if adapter.joint is not None:
        table.add_row(Text("all guards", style="bold"), *[""] * 7, Text(adapter.joint, style=_STYLES[adapter.joint]))
    return table


def _add_rows(table: Table, title: str, targets: Sequence[TargetVerdict], limit_pp: float) -> None:
    if targets:
        table.add_row(Text(title, style="dim"))
    for target in targets:
        table.add_row(
            Text(printable(target.target)),
            count(target.n_items),
            percent(target.n_right_base, target.n_items),
            percent(target.n_right, target.n_items),
            signed_pp(target.delta_pp),
            interval_in_words(target, limit_pp),
            str(target.lost),
            str(target.gained),
            Text(verdict_in_words(target).replace(", ", "\n"), style=_STYLES[target.verdict]),
            count(target.items_needed),
        )


def summary_lines(result: CheckResult) -> list[str]:
    """Notes, comparisons of adapters, the conclusion, and what to do next."""
    lines = [f"note: {note}" for note in result.notes]
    if len(result.adapters) > 1:
        lines += [
            f"{comparison.first} minus {comparison.second}, mean over "
            f"{targets_in_words(comparison.n_targets, comparison.role)}: {signed_pp(comparison.delta_pp)} pp "
            f"{interval_pp(comparison.low_pp, comparison.high_pp)}"
            for comparison in result.comparisons
        ]
        n_broken = sum(map(len, result.broken_by_all.values()))
        lines.append(f"items that the base answers correctly and every adapter gets wrong: {n_broken:,}")
    lines += [conclusion(result), *(f"next: {step}" for step in next_steps(result))]
    choices = (choice_sentence(curve, result.settings.limit_pp) for curve in result.strengths)
    lines += [f"next: {choice}" for choice in choices if choice is not None]
    return [printable(line) for line in lines]
