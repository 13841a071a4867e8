"""What the pocket world reads from CLDR through Babel: names in eleven languages, and facts about territories.

A name is identified by its CLDR key (``KE``, ``002``, ``KES``, ``sw``, ``Africa/Nairobi``), the same in every language.
Licence of the data: Unicode-3.0 (https://www.unicode.org/license.txt).
"""

import unicodedata
from datetime import date
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.languages import get_territory_language_info
from babel.numbers import get_territory_currencies

from donorgrid.core.errors import InputError
from donorgrid.pocket.wording import LANGUAGES, Kind

FACTS_AS_OF = date(2025, 12, 31)
"""The day for which tender is looked up: CLDR dates currencies, and a result must not depend on today."""

_SOFT_HYPHEN = "\u00ad"


@cache
def _names(kind: Kind, language: str) -> dict[str, str]:
    locale = Locale.parse(language)
    if kind == "place":
        return {zone: names["city"] for zone, names in locale.time_zones.items() if "city" in names}
    tables = {
        "territory": locale.territories,
        "continent": locale.territories,
        "currency": locale.currencies,
        "language": locale.languages,
    }
    return dict(tables[kind])


def _raw_name(kind: Kind, key: str, language: str) -> str | None:
    known = _names(kind, language).get(key)
    if known is None and kind == "place" and language in ("de", "en", "es", "fr", "id", "it", "pt"):
        # CLDR names a zone's city only where it differs from the last part of the zone's own (English) identifier.
        return key.rpartition("/")[2].replace("_", " ")
    return known


def name(kind: Kind, key: str, language: str) -> str:
    """Look up a name in CLDR.

    Parameters
    ----------
    kind
        What is named.
    key
        Its CLDR key.
    language
        The locale of the name.

    Returns
    -------
    str
        In Unicode form NFC, without soft hyphens.

    Raises
    ------
    InputError
        If Babel's CLDR has no such name.
    """
    raw = _raw_name(kind, key, language)
    if raw is None:
        raise InputError(f"pocket: Babel's CLDR has no {kind} name for '{key}' in '{language}'; install babel>=2.18")
    return unicodedata.normalize("NFC", raw).replace(_SOFT_HYPHEN, "")


def has_names(kind: Kind, key: str) -> bool:
    """True if CLDR has a name in all eleven languages.

    Parameters
    ----------
    kind
        What is named.
    key
        Its CLDR key.

    Returns
    -------
    bool
    """
    return all(_raw_name(kind, key, language) is not None for language in LANGUAGES)


def currencies(territory: str) -> tuple[str, ...]:
    """The ISO 4217 codes of the legal tender on ``FACTS_AS_OF``; the territory's own currency first.

    ISO 4217 codes begin with their territory's ISO 3166-1 code (BTN in BT), which distinguishes the territory's own
    currency from a further tender (INR).
    """
    tender = get_territory_currencies(territory, start_date=FACTS_AS_OF)
    return tuple(sorted(tender, key=lambda code: not code.startswith(territory)))


def official_languages(territory: str) -> tuple[str, ...]:
    """CLDR's official languages (also de facto and regional ones), the one with most speakers first.

    The order is by whole-territory status before regional status, then by the share of the population. Scripts are left
    out (``sr_Latn`` is ``sr``). Where CLDR gives no language a status, all the territory's languages count.
    """
    spoken = {key: info for key, info in get_territory_language_info(territory).items() if key != "und"}
    official = {key: info for key, info in spoken.items() if info["official_status"]} or spoken
    ranked = sorted(
        official,
        key=lambda key: (
            official[key]["official_status"] == "official_regional",
            -official[key]["population_percent"],
            key,
        ),
    )
    return tuple(dict.fromkeys(key.partition("_")[0] for key in ranked))


def zones(territory: str) -> tuple[str, ...]:
    """The identifiers of the territory's time zones, each named after a place in it, sorted."""
    return tuple(sorted(get_global("territory_zones").get(territory, ())))
