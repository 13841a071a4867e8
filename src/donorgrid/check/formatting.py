"""How a check writes its numbers, in the terminal and on the page alike."""

from donorgrid.check.inputs import Role

MINUS = "−"


def signed_pp(value_pp: float) -> str:
    """``+1.2``, ``−0.5``, ``0.0``."""
    tenths = round(10 * value_pp)
    return f"{'+' if tenths > 0 else MINUS if tenths < 0 else ''}{abs(tenths) / 10:.1f}"


def interval_pp(low_pp: float, high_pp: float) -> str:
    """``[−2.1, +0.3]``.

    Parameters
    ----------
    low_pp
        The lower end.
    high_pp
        The upper end.

    Returns
    -------
    str
        Both ends with their signs.
    """
    return f"[{signed_pp(low_pp)}, {signed_pp(high_pp)}]"


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
