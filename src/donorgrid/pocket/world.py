"""The facts of the pocket world, and which of them are for training and which for testing.

Territories are split once for all four tasks: no test item of any task is about a territory that a training item is
about.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Literal

from donorgrid.pocket import cldr
from donorgrid.pocket.regions import CONTINENT_OF, overlapping
from donorgrid.pocket.wording import LANGUAGES, Kind

Part = Literal["train", "test"]

TASKS: dict[str, tuple[Kind, Kind]] = {
    "continent": ("territory", "continent"),
    "currency": ("territory", "currency"),
    "language": ("territory", "language"),
    "place": ("place", "territory"),
}
"""Task -> (kind of the subject, kind of the answer)."""

MOST_PLACES_OF_ONE_TERRITORY = 12
_DISPUTED_ZONES = frozenset({"Europe/Simferopol", "Asia/Famagusta"})
_PARTS_OF_FIVE: tuple[Part, ...] = ("train", "test", "train", "train", "test")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """What is true about one subject, in CLDR keys: its answer, and every answer that would not be wrong."""

    task: str
    subject: str
    territory: str
    answer: str
    not_wrong: frozenset[str]

    @property
    def id(self) -> str:
        """The item ID, the same in every language."""
        return f"{self.task}-{self.subject.replace('/', '-')}"


def draw(*key: str) -> float:
    """Returns a number in [0, 1) that depends only on ``key``: the same on every machine and Python version."""
    return int.from_bytes(hashlib.sha256("\x1f".join(key).encode("utf-8")).digest()[:6], "big") / 2**48


@cache
def territories() -> tuple[str, ...]:
    """The territories with a continent, a tender and a language that CLDR names in all eleven languages; sorted."""
    return tuple(sorted(code for code in CONTINENT_OF if _is_complete(code)))


def _is_complete(territory: str) -> bool:
    currencies = cldr.currencies(territory)
    return (
        cldr.has_names("territory", territory)
        and bool(currencies)
        and cldr.has_names("currency", currencies[0])
        and _main_language(territory) is not None
    )


def _main_language(territory: str) -> str | None:
    named = (key for key in cldr.official_languages(territory) if cldr.has_names("language", key))
    return next(named, None)


@cache
def places() -> dict[str, str]:
    """Returns places (time zone identifiers) with their territory, without those whose names reveal the territory's."""
    territory_of: dict[str, str] = {}
    for territory in territories():
        fair = (zone for zone in cldr.zones(territory) if _is_fair(zone, territory))
        ordered = sorted(fair, key=lambda zone: draw("place", zone))
        territory_of |= dict.fromkeys(ordered[:MOST_PLACES_OF_ONE_TERRITORY], territory)
    return territory_of


def _is_fair(zone: str, territory: str) -> bool:
    names_its_state = zone.startswith(("America/Indiana/", "America/Kentucky/", "America/North_Dakota/"))
    if names_its_state or zone in _DISPUTED_ZONES or not cldr.has_names("place", zone):
        return False
    for language in LANGUAGES:
        zone_name = cldr.name("place", zone, language).casefold()
        territory_name = cldr.name("territory", territory, language).casefold()
        if zone_name in territory_name or territory_name in zone_name:
            return False
    return True


@cache
def facts(task: str) -> tuple[Fact, ...]:
    """All facts of one task, sorted by subject."""
    if task == "place":
        return tuple(
            Fact(task=task, subject=zone, territory=code, answer=code, not_wrong=overlapping(code))
            for zone, code in sorted(places().items())
        )
    return tuple(_fact_of_territory(task, code) for code in territories())


def _fact_of_territory(task: str, territory: str) -> Fact:
    right: dict[str, tuple[str, ...]] = {
        "continent": (CONTINENT_OF[territory],),
        "currency": cldr.currencies(territory),
        "language": (_main_language(territory) or "", *cldr.official_languages(territory)),
    }
    answers = right[task]
    return Fact(task=task, subject=territory, territory=territory, answer=answers[0], not_wrong=frozenset(answers))


@cache
def parts() -> dict[str, Part]:
    """Returns the part of each territory: three of five for training, two for testing.

    The order is by number of places, then continent, then a draw, so both parts have enough of each.
    """
    n_places = Counter(places().values())
    ordered = sorted(territories(), key=lambda code: (-n_places[code], CONTINENT_OF[code], draw("part", code)))
    return {code: _PARTS_OF_FIVE[rank % 5] for rank, code in enumerate(ordered)}
