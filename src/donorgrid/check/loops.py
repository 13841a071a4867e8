"""Whether a generated text repeats itself: a piece several times in a row, or a large part of it anywhere."""

import re
from collections.abc import Sequence

import numpy as np

LOOP_TIMES = 4
"""A piece of text that stands this often in a row is a loop; one without letters only at the end of a text."""
LOOP_CHARACTERS = 24
"""A loop has at least this many characters: "no, no, no, no" is not a loop."""
LEAST_SHARE, MOST_SHARE = 0.35, 0.5
"""The repeated share above which a text is a loop lies between these; where, the base's own replies decide."""

_GRAM_BYTES = 24
"""Pieces are compared in UTF-8: 24 letters of Latin script, 12 of Arabic, 8 characters of Chinese or Hindi."""
_CALIBRATION_QUANTILE = 0.8
_FEWEST_CALIBRATING = 10
_CUT = "\ufffd"
"""What stands at the end of a text that was cut inside a character."""
_LIST_NUMBER = re.compile(r"(?:^|(?<=\s))[(\[]?\d{1,3}[.):、．]+\s*")
_ENDLESS_NUMBER = re.compile(r"(\d)\1{59}")
_RULE = re.compile(r"([^\w\s])\1{3,}")
_SPACES = re.compile(r"\s+")


def loops(text: str, *, limit: float = LEAST_SHARE) -> bool:
    """Whether a text repeats a piece of it in a row, or a large part of it anywhere.

    Parameters
    ----------
    text
        The text.
    limit
        A text is a loop if a larger share (0-1) of it is repeated (``loop_limit_of``).

    Returns
    -------
    bool
    """
    if _ENDLESS_NUMBER.search(text) is not None:
        return True
    return ends_in_loop(text) or has_run(text) or repeated_share(text) > limit


def loop_limit_of(base_texts: Sequence[str]) -> float:
    """The repeated share above which a reply is a loop, from the base's replies to the same prompts.

    Some prompts ask for texts that repeat themselves, such as tables. So the limit is the share that four of five of
    the base's replies stay below, without those whose end is repeated, and never below ``LEAST_SHARE`` or above
    ``MOST_SHARE``.

    Parameters
    ----------
    base_texts
        The replies of the base to all prompts, in all languages together.

    Returns
    -------
    float
        From 0 to 1.
    """
    shares = [repeated_share(text) for text in base_texts if not ends_in_loop(text, times=2)]
    if len(shares) < _FEWEST_CALIBRATING:
        return LEAST_SHARE
    return float(np.clip(np.quantile(shares, _CALIBRATION_QUANTILE), LEAST_SHARE, MOST_SHARE))


def ends_in_loop(text: str, *, times: int = LOOP_TIMES) -> bool:
    """Whether a text ends with a piece that stands there several times in a row.

    Parameters
    ----------
    text
        The text.
    times
        How often; short pieces must stand there more often, for ``LOOP_CHARACTERS`` characters in all.

    Returns
    -------
    bool
    """
    body = text.strip().rstrip(_CUT)
    for period in range(1, len(body) // times + 1):
        n_times = max(times, -(-LOOP_CHARACTERS // period))
        tail = body[-period * n_times :]
        if len(tail) == period * n_times and tail[period:] == tail[:-period] and not tail.isdigit():
            return True
    return False


def has_run(text: str) -> bool:
    """Whether a piece with letters stands ``LOOP_TIMES`` times in a row, anywhere in a text.

    Upper case, spaces, the numbers of a list and a character that was cut do not count.
    """
    plain = _plain(text)
    characters = np.array([ord(character) for character in plain], dtype=np.int32)
    for period in range(1, len(plain) // LOOP_TIMES + 1):
        n_matching = max(LOOP_TIMES, -(-LOOP_CHARACTERS // period)) * period - period
        differs = np.flatnonzero(np.concatenate([[True], characters[period:] != characters[:-period], [True]]))
        starts = differs[:-1][np.diff(differs) > n_matching]
        if any(any(map(str.isalpha, plain[start : start + period])) for start in starts):
            return True
    return False


def repeated_share(text: str) -> float:
    """The share (0-1) of a text that stands earlier in it, in pieces of ``_GRAM_BYTES``.

    Upper case, spaces, the numbers of a list and a character that was cut do not count.
    """
    plain = _plain(text)
    data = b"" if plain.isdigit() else plain.encode("utf-8", errors="replace")
    known: set[bytes] = set()
    n_repeated = end = 0
    for start in range(len(data) - _GRAM_BYTES + 1):
        gram = data[start : start + _GRAM_BYTES]
        if gram in known:
            n_repeated += start + _GRAM_BYTES - max(start, end)
            end = start + _GRAM_BYTES
        known.add(gram)
    return n_repeated / len(data) if data else 0.0


def _plain(text: str) -> str:
    """A text without what hides a repetition, or looks like one.

    It is in lower case, without line breaks, the numbers of a list, and a character that was cut; lines that separate
    the rows of a table are short.
    """
    without_numbers = _LIST_NUMBER.sub("", text.strip().rstrip(_CUT).casefold())
    return _SPACES.sub(" ", _RULE.sub(r"\1\1\1", without_numbers)).strip()
