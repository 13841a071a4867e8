"""Numbers as the sentences and tables of advice show them."""

MINUS = "\N{MINUS SIGN}"


def signed_pp(value: float) -> str:
    """A difference with its sign and one decimal: ``+1.2``, ``−0.4``, ``0.0``."""
    text = f"{abs(value):.1f}"
    if float(text) == 0.0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"
