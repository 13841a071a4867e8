"""Which language a code or a name means: the one place that gives all spellings of a language the same code.

A canonical code is the ISO 639-1 code where there is one, else the ISO 639-3 code. The rules are those of BCP 47 and
Unicode CLDR, as the package langcodes applies them: an individual language that stands for its macrolanguage takes the
macrolanguage's code (``arb``: ``ar``); the usual script of a language is dropped, another one stays (``zh-Hant``); a
territory counts only by the script that it implies (``zh-TW``: ``zh-Hant``). What is to stay apart within a language
carries a variant or a private subtag of BCP 47 (``ca-valencia``, ``pt-x-br``).
"""

from collections.abc import Iterable
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from langcodes import Language as Tag
from langcodes import find
from langcodes.data_dicts import LIKELY_SUBTAGS, MACROLANGUAGES, NORMALIZED_MACROLANGUAGES
from langcodes.tag_parser import LanguageTagError

from donorgrid.core.errors import InputError, suggestion
from donorgrid.facts.language_table import LANGUAGES, Language

EXCEPTIONS = {
    # The library takes these for spellings of another language; test sets have both, or know them as their own.
    "tw": "tw",  # Twi, not Akan: FLORES-200 has both
    "fa-AF": "prs",  # Dari, not Persian: FLORES-200 has both
    # The library keeps these apart; test sets use them for the language itself.
    "fil": "tl",  # Filipino is the standard form of Tagalog
    "fuv": "ff",  # Nigerian Fulfulde, the Fulah of FLORES-200
    "pbt": "ps",  # Southern Pashto, the Pashto of FLORES-200
}
"""Code after the library's normalisation -> canonical code, where it is not the library's own."""

_SCRIPT_ALIASES = {("ko", "Hang"): "Kore"}
_SPECIAL = frozenset({"und", "mul", "mis", "zxx"})
_SHORTEST_NAME = 4


@lru_cache(maxsize=4096)
def find_language(name: str) -> str | None:
    """Returns the canonical code of a language, or None where no language has this code or name."""
    if name in LANGUAGES and name not in EXCEPTIONS:
        return name
    tag = _tag(name)
    if tag is None or tag.language in _SPECIAL or tag.language is None:
        return None if tag is None else tag.to_tag()
    special = EXCEPTIONS.get(f"{tag.language}-{tag.territory}") or EXCEPTIONS.get(tag.language)
    whole = Tag.get(special) if special else tag.prefer_macrolanguage()
    language = str(special or EXCEPTIONS.get(str(whole.language)) or whole.language)
    usual = usual_script(language)
    script = tag.script or usual_script(f"{language}_{tag.territory}", usual)
    script = _SCRIPT_ALIASES.get((language, str(script)), script)
    return Tag.make(
        language=language,
        script=None if script == usual else script,
        variants=tag.variants,
        private=tag.private,
    ).to_tag()


def canonical_language(code: str) -> str:
    """Returns the canonical code of a language.

    Parameters
    ----------
    code : str
        A code such as ``de``, ``deu``, ``deu_Latn`` or ``de-DE``, or a name such as ``German``; case and ``-`` or ``_``
        do not matter.

    Returns
    -------
    str
        Such as ``de``, or ``zh-Hant`` where the script is not the usual one. A private code (``x-name``) stays.

    Raises
    ------
    InputError
        If no language has this code or name.
    """
    canonical = find_language(code)
    if canonical is None:
        english = Locale("en").languages
        names = english.values() if len(code) >= _SHORTEST_NAME else english
        raise InputError(f"language {code[:40]!r}: no language has this code or name{suggestion(code.title(), names)}")
    return canonical


def language_label(name: str) -> str:
    """Returns the canonical code of a language, or the name as it is where no language has it."""
    return find_language(name) or name


def one_language_each(names: Iterable[str], *, where: str) -> dict[str, str]:
    """Maps canonical codes to the names as written.

    Parameters
    ----------
    names : iterable of str
        Codes or names of languages.
    where : str
        Where they stand, for the message.

    Returns
    -------
    dict of str to str
        In the order of ``names``.

    Raises
    ------
    InputError
        If two different names mean one language.
    """
    written: dict[str, str] = {}
    for name in names:
        label = language_label(name)
        if written.setdefault(label, name) != name:
            raise InputError(f"{where}: '{written[label]}' and '{name}' are the same language, '{label}'; keep one")
    return written


def usual_script(code: str, otherwise: str | None = None) -> str | None:
    """Returns the script that CLDR expects of a language, or of its macrolanguage.

    Parameters
    ----------
    code : str
        A canonical code, or one with a territory such as ``zh_TW``.
    otherwise : str, optional
        What is returned where CLDR has no entry.

    Returns
    -------
    str or None
        An ISO 15924 code.
    """
    likely = get_global("likely_subtags")
    tag = likely.get(code) or likely.get(MACROLANGUAGES.get(code, ""))
    return str(tag).split("_")[1] if tag else otherwise


def _tag(name: str) -> Tag | None:
    """Returns the normalised tag of a code or name; None if no language has it."""
    try:
        tag = Tag.get(name, normalize=True)
        if tag.is_valid():
            return tag
    except (LanguageTagError, ValueError):
        pass
    if len(name) < _SHORTEST_NAME or not name.isprintable():
        return None
    try:
        return Tag.get(str(find(name.replace("_", " "))), normalize=True)
    except LookupError:
        return None


def is_language(name: str) -> bool:
    """True if a part of a task's name reads as a language: a code in common use, or one with a script, or a name.

    Codes such as ``pro`` (Old Provençal), ``all`` (Allar) and ``in`` (once Indonesian) are words far more often.
    """
    canonical = find_language(name)
    outdated = len(name) == 2 and canonical != name
    if canonical is None or canonical in _SPECIAL or outdated:
        return False
    tag = Tag.get(canonical)
    language = str(tag.language)
    return len(language) == 2 or language in LIKELY_SUBTAGS or Tag.get(_spelled(name)).script is not None


def _spelled(name: str) -> str:
    try:
        return Tag.get(name, normalize=False).to_tag()
    except (LanguageTagError, ValueError):
        return "und"


def language_facts(name: str) -> Language | None:
    """Returns the facts of a language (``pt``, ``pt-BR``, ``por_Latn``), or None if it is not known.

    A member of a macrolanguage in the table has the macrolanguage's family and branch. A script in the name
    (``zho_Hant``) overrides the language's usual one.
    """
    canonical = find_language(name)
    if canonical is None:
        return None
    tag = Tag.get(canonical)
    language = str(tag.language)
    facts = LANGUAGES.get(language)
    if facts is None:
        facts = LANGUAGES.get(MACROLANGUAGES.get(language, ""))
        facts = facts and facts._replace(script=usual_script(language) or facts.script)
    return facts if facts is None or tag.script is None else facts._replace(script=tag.script)


def iso_639_3_codes(name: str) -> tuple[str, ...]:
    """Returns the ISO 639-3 codes that a name may mean; the name's code first if it has three letters.

    A macrolanguage has several (``ar``: ``arb``, ``ara``).
    """
    written = name.replace("-", "_").split("_")[0].lower()
    canonical = find_language(name)
    if canonical is None:
        return ()
    language = str(Tag.get(canonical).language)
    first = [written] if len(written) == 3 else []
    members = [member for member, whole in NORMALIZED_MACROLANGUAGES.items() if whole == language]
    return tuple(dict.fromkeys([*first, *members, Tag.get(language).to_alpha3()]))


def spelling_of(wanted: Iterable[str], existing: Iterable[str], *, where: str) -> dict[str, str]:
    """Says how names of files or tasks spell the languages that are wanted.

    Parameters
    ----------
    wanted : iterable of str
        Codes or names; all existing languages if there are none.
    existing : iterable of str
        The spellings that exist.
    where : str
        Whose languages they are, for the message.

    Returns
    -------
    dict of str to str
        Canonical code -> an existing spelling, else the wanted one.

    Raises
    ------
    InputError
        If two of the wanted (or, without them, of the existing) spellings mean one language.
    """
    spellings = list(existing)
    requested = one_language_each(wanted, where=where)
    if not requested:
        return one_language_each(spellings, where=where)
    by_code: dict[str, str] = {}
    for spelling in spellings:
        by_code.setdefault(language_label(spelling), spelling)
    return {code: name if name in spellings else by_code.get(code, name) for code, name in requested.items()}
