"""How much of the work in hand is done: training and scoring say it step by step, and who wants to know listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[float], None]
"""Receives the share (0-1) of the work that is done."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


def report_share(share: float) -> None:
    """Says that this share (0-1) of the work in hand is done. Nothing happens where nobody listens."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(share)


@contextmanager
def reports_to(listener: Listener) -> Iterator[None]:
    """Reports that are made in the body go to a listener.

    Parameters
    ----------
    listener : callable
        Receives each share.

    Yields
    ------
    None
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def part_of_work(start: float, size: float) -> Iterator[None]:
    """The body does one part of the work in hand: its reports count within that part.

    Parameters
    ----------
    start : float
        The share (0-1) of the whole that is done before.
    size : float
        The share of the whole that the body does.

    Yields
    ------
    None
    """
    outer = _LISTENER.get()
    if outer is None:
        yield
        return
    with reports_to(lambda share: outer(start + size * share)):
        yield
    outer(start + size)
