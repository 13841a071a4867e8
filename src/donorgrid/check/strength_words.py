"""Strengths in words: the table of an adapter's curve, and the sentence on the strength to take."""

from rich.table import Table
from rich.text import Text

from donorgrid.check.formatting import count, interval_pp, signed_pp
from donorgrid.check.results import StrengthChoice, StrengthCurve, StrengthPoint
from donorgrid.check.verdict_words import change_in_words
from donorgrid.core.printable_text import printable

HEADINGS = ("strength", "gain pp", "interval", "worst guard", "its delta pp", "interval", "all guards")


def curve_rows(curve: StrengthCurve, limit_pp: float) -> list[tuple[str, ...]]:
    """The cells of a curve, a row for each strength, under ``HEADINGS``.

    Parameters
    ----------
    curve
        The points.
    limit_pp
        The limit of guards.

    Returns
    -------
    list of tuple of str
        Empty cells where nothing was measured.
    """
    return [
        (
            f"{point.strength:g}" + (" (extrapolation)" if point.strength > 1 else ""),
            "" if point.gain_pp is None else signed_pp(point.gain_pp),
            _gain_interval(point),
            point.worst_guard or "",
            "" if point.worst_pp is None else signed_pp(point.worst_pp),
            _worst_interval(point, limit_pp),
            point.joint or "",
        )
        for point in curve.points
    ]


def strength_table(curve: StrengthCurve, limit_pp: float, *, width: int) -> Table:
    """A curve as a table for the terminal.

    Parameters
    ----------
    curve
        The points.
    limit_pp
        The limit of guards.
    width
        Of the table.

    Returns
    -------
    rich.table.Table
    """
    title = Text(printable(f"{curve.adapter} at several strengths, all items"))
    table = Table(title=title, box=None, pad_edge=False, width=width, title_justify="left")
    for name in HEADINGS:
        is_text = name in ("worst guard", "all guards")
        table.add_column(name, justify="left" if is_text else "right", overflow="fold", no_wrap=name != "worst guard")
    for row in curve_rows(curve, limit_pp):
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def choice_sentence(curve: StrengthCurve, limit_pp: float) -> str | None:
    """Which strength to take, and what it was chosen on.

    Parameters
    ----------
    curve
        The points and the choice.
    limit_pp
        The limit of guards.

    Returns
    -------
    str or None
        None where no choice was wanted.
    """
    choice = curve.choice
    if choice is None:
        return None
    if choice.strength is None or choice.reported_on is None:
        return f"{curve.adapter}: no strength is recommended: {choice.reason}.{_items_needed(choice)}"
    extrapolated = ", an extrapolation" if choice.strength > 1 else ""
    return (
        f"{curve.adapter}: take strength {choice.strength:g}{extrapolated}: {choice.reason}. It was chosen on one half "
        f"of the items; the other half gives {_reported(choice.reported_on, limit_pp)}. "
        "'donorgrid export scaled' writes it."
    )


def _reported(point: StrengthPoint, limit_pp: float) -> str:
    gain = (
        []
        if point.gain_pp is None
        else [
            f"a gain of {signed_pp(point.gain_pp)} pp {_gain_interval(point)} "
            f"({change_in_words(point.gain_low_pp or 0.0, point.gain_high_pp or 0.0)})"
        ]
    )
    worst = (
        []
        if point.worst_pp is None
        else [
            f"{signed_pp(point.worst_pp)} pp {_worst_interval(point, limit_pp)} on the worst guard, {point.worst_guard}"
        ]
    )
    return ", ".join([*gain, *worst, f"all guards together {point.joint}"])


def _items_needed(choice: StrengthChoice) -> str:
    if choice.items_needed is None:
        return ""
    number = count(choice.items_needed)
    return f" About {number} items a guard would decide the smallest, if answers keep changing at the measured rate."


def _gain_interval(point: StrengthPoint) -> str:
    if point.gain_low_pp is None or point.gain_high_pp is None:
        return ""
    return interval_pp(point.gain_low_pp, point.gain_high_pp)


def _worst_interval(point: StrengthPoint, limit_pp: float) -> str:
    if point.worst_low_pp is None or point.worst_high_pp is None:
        return ""
    return interval_pp(point.worst_low_pp, point.worst_high_pp, edge_pp=-limit_pp)
