"""How numbers are written. There is one rule per unit, so that figures, tables and tooltips always agree."""

import math
from typing import Any

ABSENT = "–"
MINUS = "−"


def hundredths(value_pp: float) -> int:
    """Percentage points as a whole number of hundredths, which is what the page stores and prints."""
    return round(100 * value_pp)


def is_absent(value: Any) -> bool:
    """True if a table's value is missing: null, NaN or infinite."""
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def signed_pp(value_pp: float | None) -> str:
    """``+1.25``, ``−0.50``, ``0.00``."""
    if value_pp is None or is_absent(value_pp):
        return ABSENT
    whole = hundredths(value_pp)
    sign = "+" if whole > 0 else MINUS if whole < 0 else ""
    return f"{sign}{abs(whole) / 100:.2f}"


def plain_pp(value_pp: float | None) -> str:
    """An unsigned amount, such as a standard error: ``0.42``."""
    return ABSENT if value_pp is None or is_absent(value_pp) else f"{hundredths(value_pp) / 100:.2f}"


def with_se(value_pp: float | None, se_pp: float | None) -> str:
    """A value with its standard error.

    Parameters
    ----------
    value_pp, se_pp
        In percentage points; either may be absent.

    Returns
    -------
    str
        ``+1.25 ± 0.42``, or ``+1.25`` if there is no standard error.
    """
    if is_absent(se_pp) or is_absent(value_pp):
        return signed_pp(value_pp)
    return f"{signed_pp(value_pp)} ± {plain_pp(se_pp)}"


def percent(rate: float | None) -> str:
    """A rate or share (0-1) as ``9.1%``."""
    return ABSENT if rate is None or is_absent(rate) else f"{100 * rate:.1f}%".replace("-", MINUS)


def count(value: int | None) -> str:
    """``17,424``."""
    return ABSENT if value is None else f"{value:,}"


def shown(column: str, value: Any) -> str:
    """A table's value as text.

    Parameters
    ----------
    column
        The column's name, which says the unit: ``_pp`` percentage points, ``_rate`` and ``_share`` percent.
    value
        A number, a truth value, a text, or an absent value.

    Returns
    -------
    str
        ``ABSENT`` for an absent value.
    """
    if is_absent(value):
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if not isinstance(value, float):
        return str(value)
    if column.endswith("se_pp"):
        return plain_pp(value)
    if column.endswith("_pp"):
        return signed_pp(value)
    if "_rate" in column or {"share", "harmed", "helped"} & set(column.split("_")):
        return percent(value)
    return f"{value:.4g}".replace("-", MINUS)
