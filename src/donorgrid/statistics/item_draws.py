"""Draws items by a seed, in proportion to the classes of the whole: stratified samples that languages share."""

import hashlib
import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

Strata = Mapping[str, Hashable]
"""The ID of every item to its stratum, such as the class of its gold answer."""

DRAW_SEED = 42
"""The seed of a draw where none is given."""


def largest_remainder(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to shares, by the method of largest remainders.

    Parameters
    ----------
    total : int
        Their sum.
    shares : sequence of float
        Shares that sum to 1; the earlier one wins a tie.

    Returns
    -------
    list of int
    """
    exact = [total * share for share in shares]
    counts = [math.floor(value) for value in exact]
    order = sorted(range(len(shares)), key=lambda part: counts[part] - exact[part])
    for part in order[: total - sum(counts)]:
        counts[part] += 1
    return counts


def draw_ids(languages: Sequence[Strata], count: int, *, seed: int) -> list[frozenset[str]]:
    """Draw items of one task, the same IDs in all its languages.

    Each language gets as many items of each stratum as is in proportion to its whole file (largest remainder). An item
    is drawn by the SHA-256 of seed and ID, so that a draw changes little where items are added. IDs that all languages
    have come first. Where languages disagree about the strata, equal IDs count more than exact proportions.

    Parameters
    ----------
    languages : sequence of mapping
        The items of each language with their strata.
    count : int
        How many items a language gets; all of them where it has no more.
    seed : int
        The seed of the draw.

    Returns
    -------
    list of frozenset of str
        The IDs that are drawn, one set per language.
    """
    n_languages = Counter(item_id for strata in languages for item_id in strata)
    rank = _ranks(n_languages, str(seed))
    order = sorted(n_languages, key=lambda item_id: (-n_languages[item_id], rank[item_id]))
    draws = [_Draw(strata, count, rank) for strata in languages if strata]
    common = [item_id for item_id in order if n_languages[item_id] == len(draws)]
    _fill(draws, common, min(count, len(common)))
    for draw in draws:
        rest = [item_id for item_id in order if item_id in draw.strata and item_id not in draw.drawn]
        _fill([draw], rest, draw.n_wanted - len(draw.drawn))
    drawn = iter(draws)
    return [frozenset(next(drawn).drawn) if strata else frozenset() for strata in languages]


def stratified_order(strata: Strata, *, seed: str) -> list[str]:
    """An order of items in which every beginning has its strata nearly in proportion to the whole.

    The beginning of n + 1 items holds that of n, so that larger draws contain the smaller ones. Equal IDs with equal
    strata have the same order in every language.

    Parameters
    ----------
    strata : mapping
        The items with their strata.
    seed : str
        The seed of the order.

    Returns
    -------
    list of str
        All IDs. The k-th item of n in a stratum stands at (k - 1/2) / n of the order: Webster's method.
    """
    rank = _ranks(strata, seed)
    sizes, passed = Counter(strata.values()), Counter[Hashable]()
    position = {}
    for item_id in sorted(strata, key=rank.__getitem__):
        stratum = strata[item_id]
        passed[stratum] += 1
        position[item_id] = ((passed[stratum] - 0.5) / sizes[stratum], rank[item_id])
    return sorted(strata, key=position.__getitem__)


class _Draw:
    """What one language has drawn, and how many items of each stratum it still wants."""

    def __init__(self, strata: Strata, count: int, rank: Mapping[str, str]) -> None:
        first_rank: dict[Hashable, str] = {}
        for item_id in sorted(strata, key=rank.__getitem__):
            first_rank.setdefault(strata[item_id], rank[item_id])
        sizes = Counter(strata.values())
        # Ties of remainders are broken by the draw itself, alike in every language.
        kinds = sorted(sizes, key=lambda stratum: (-sizes[stratum], first_rank[stratum]))
        wanted = largest_remainder(min(count, len(strata)), [sizes[kind] / len(strata) for kind in kinds])
        self.strata = strata
        self.n_wanted = min(count, len(strata))
        self.drawn: set[str] = set()
        self._open = dict(zip(kinds, wanted, strict=True))

    def wants(self, item_id: str) -> bool:
        return self._open[self.strata[item_id]] > 0

    def take(self, item_id: str) -> None:
        self.drawn.add(item_id)
        self._open[self.strata[item_id]] -= 1


def _fill(draws: Sequence[_Draw], candidates: Iterable[str], n_items: int) -> None:
    """Give ``n_items`` to all draws alike: first items that every draw wants, then those that fewer want."""
    left = list(candidates)
    for n_willing in range(len(draws), -1, -1):
        passed_over = []
        for item_id in left:
            if n_items and sum(draw.wants(item_id) for draw in draws) >= n_willing:
                n_items -= 1
                for draw in draws:
                    draw.take(item_id)
            else:
                passed_over.append(item_id)
        left = passed_over


def _ranks(item_ids: Iterable[str], seed: str) -> dict[str, str]:
    return {item_id: hashlib.sha256(f"{seed}\0{item_id}".encode()).hexdigest() for item_id in item_ids}
