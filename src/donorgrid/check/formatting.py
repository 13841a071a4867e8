"""How a check writes its numbers, in the terminal and on the page alike."""

MINUS = "−"


def signed_pp(value_pp: float) -> str:
    """``+1.2``, ``−0.5``, ``0.0``."""
    tenths = round(10 * value_pp)
    return f"{'+' if tenths > 0 else MINUS if tenths < 0 else ''}{abs(tenths) / 10:.1f}"


def interval_pp(low_pp: float, high_pp: float) -> str:
    """``[−2.1, +0.3]``."""
    return f"[{signed_pp(low_pp)}, {signed_pp(high_pp)}]"


def share(n_right: int, n_items: int) -> str:
    """``61.5``: per cent without the sign."""
    return f"{100 * n_right / n_items:.1f}"


def items(count: int | None) -> str:
    """``2,500``, or nothing."""
    return "" if count is None else f"{count:,}"
