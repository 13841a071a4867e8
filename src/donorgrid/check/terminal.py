"""What the terminal shows: a table that fits 100 columns, and the sentences under it."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from donorgrid.check.escaping import printable
from donorgrid.check.formatting import interval_pp, items, share, signed_pp
from donorgrid.check.records import AdapterVerdict, CheckResult, TargetVerdict
from donorgrid.check.sentences import conclusion, next_steps

WIDTH = 100
_STYLES = {"safe": "green", "gained": "green", "harmed": "bold red", "lost": "bold red", "undecided": "yellow"}
_COLUMNS = ("items", "base", "adapter", "delta pp", "interval", "lost", "gained", "verdict", "to decide")


def result_table(adapter: AdapterVerdict, result: CheckResult) -> Table:
    """The verdicts on one adapter, degenerate targets apart, never wider than ``WIDTH``."""
    table = Table(
        title=Text(printable(f"{adapter.name} against {result.base}, limit {signed_pp(-result.settings.limit_pp)} pp")),
        caption=Text(f"{100 * result.settings.confidence:.0f}% intervals of paired differences; base, adapter in %"),
        box=None,
        pad_edge=False,
        width=WIDTH,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("target", overflow="fold", ratio=1)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "verdict" else "right", no_wrap=True)
    sound = [one for one in adapter.targets if one.degenerate is None]
    for title, rows in (
        ("to gain on", [one for one in sound if one.role == "on"]),
        ("guarded", [one for one in sound if one.role == "guard"]),
        ("set apart", [one for one in adapter.targets if one.degenerate is not None]),
    ):
        _add(table, title, rows)
    if adapter.joint is not None:
        table.add_row(Text("all guards", style="bold"), *[""] * 7, Text(adapter.joint, style=_STYLES[adapter.joint]))
    return table


def _add(table: Table, title: str, rows: Sequence[TargetVerdict]) -> None:
    if rows:
        table.add_row(Text(title, style="dim"))
    for one in rows:
        table.add_row(
            Text(printable(one.target)),
            items(one.n_items),
            share(one.n_right_base, one.n_items),
            share(one.n_right, one.n_items),
            signed_pp(one.delta_pp),
            interval_pp(one.low_pp, one.high_pp),
            str(one.lost),
            str(one.gained),
            Text(one.verdict, style=_STYLES[one.verdict]),
            items(one.items_needed),
        )


def summary_lines(result: CheckResult) -> list[str]:
    """Items that every adapter broke, notes, the conclusion, and what to do next."""
    broken = sum(map(len, result.broken_by_all.values()))
    lines = [f"note: {one}" for one in result.notes]
    if len(result.adapters) > 1:
        lines += [
            f"{one.first} against {one.second}, mean over {one.n_targets} "
            f"{'to gain on' if one.role == 'on' else 'guarded'}: {signed_pp(one.delta_pp)} pp "
            f"{interval_pp(one.low_pp, one.high_pp)}"
            for one in result.comparisons
        ]
        lines.append(f"{broken} items that the base has right and every adapter wrong")
    return [printable(line) for line in [*lines, conclusion(result), *(f"next: {one}" for one in next_steps(result))]]
