"""How a check writes its numbers, in the terminal and on the page alike."""

from donorgrid.check.inputs import Role

MINUS = "−"


_MOST_DECIMALS = 6


def signed_pp(value_pp: float, decimals: int = 1) -> str:
    """``+1.2``, ``−0.5``, ``0.0``.

    Parameters
    ----------
    value_pp
        Percentage points.
    decimals
        At least 1.

    Returns
    -------
    str
        With its sign; without one if it rounds to zero.
    """
    whole = round(10**decimals * value_pp)
    return f"{'+' if whole > 0 else MINUS if whole < 0 else ''}{abs(whole) / 10**decimals:.{decimals}f}"


def interval_pp(low_pp: float, high_pp: float, *, edge_pp: float = 0.0) -> str:
    """``[−2.1, +0.3]``.

    Parameters
    ----------
    low_pp, high_pp
        The ends.
    edge_pp
        What the interval is held against: an end that excludes it is written so that it still does.

    Returns
    -------
    str
        Both ends with their signs, with one decimal unless that would move an end onto the edge.
    """
    exact = side_of(low_pp, high_pp, edge_pp=edge_pp)
    decimals = next(
        (
            number
            for number in range(1, _MOST_DECIMALS)
            if side_of(round(low_pp, number), round(high_pp, number), edge_pp=edge_pp) == exact
        ),
        _MOST_DECIMALS,
    )
    return f"[{signed_pp(low_pp, decimals)}, {signed_pp(high_pp, decimals)}]"


def side_of(low_pp: float, high_pp: float, *, edge_pp: float = 0.0) -> int:
    """On which side of an edge an interval lies.

    Parameters
    ----------
    low_pp, high_pp
        The ends.
    edge_pp
        Zero, or minus the limit.

    Returns
    -------
    int
        1 above, -1 below, 0 if the interval holds the edge.
    """
    return 1 if low_pp > edge_pp else -1 if high_pp < edge_pp else 0


def percent(n_right: int, n_items: int) -> str:
    """``61.5``: a share in percent, without the sign.

    Parameters
    ----------
    n_right
        Correct answers.
    n_items
        All answers; at least 1.

    Returns
    -------
    str
        One decimal.
    """
    return f"{100 * n_right / n_items:.1f}"


def probability(value: float) -> str:
    """``12%``; ``<1%`` and ``>99%`` for what would round to certainty."""
    if value in (0.0, 1.0):
        return f"{100 * value:.0f}%"
    return "<1%" if value < 0.01 else ">99%" if value > 0.99 else f"{100 * value:.0f}%"


def count(number: int | None) -> str:
    """``2,500``, or nothing for None."""
    return "" if number is None else f"{number:,}"


def targets_in_words(number: int, role: Role) -> str:
    """``1 guard``, ``3 targets to gain on``.

    Parameters
    ----------
    number
        How many targets.
    role
        Their role.

    Returns
    -------
    str
        In the plural where there are several.
    """
    plural = "s" if number != 1 else ""
    return f"{number} guard{plural}" if role == "guard" else f"{number} target{plural} to gain on"
