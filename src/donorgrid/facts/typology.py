"""Typological distances from URIEL+ (extra ``typology``). Its data are share-alike, so donorgrid never ships them.

Khan et al. 2025, "URIEL+" (aclanthology.org/2025.coling-main.463), after Littell et al. 2017, "URIEL and lang2vec".
"""

import importlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.facts.languages import iso_639_3_codes

FEATURES = ("syntactic", "phonological", "inventory")
"""URIEL+'s names of the kinds of features that the study correlates with."""


def uriel_distances(languages: Sequence[str]) -> dict[str, dict[tuple[str, str], float]]:
    """Returns the cosine distances of ``uriel syntactic``, ``uriel phonological`` and ``uriel inventory``.

    Languages that URIEL+ does not know, and pairs that share no feature, are left out. Raises InputError if the
    package urielplus is not installed.
    """
    uriel = _load()
    with _quiet():
        base = uriel.URIELPlus()
        base.set_distance_metric("cosine")
        codes = _codes(languages, set(map(str, base.get_typological_languages_array())))
        return {f"uriel {kind}": _pairs(base, kind, codes) for kind in FEATURES}


def _load() -> Any:
    try:
        return importlib.import_module("urielplus.urielplus")
    except ImportError as error:
        raise InputError(
            "typological distances need the package urielplus; install it with: pip install 'donorgrid[typology]'"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """URIEL+ logs its timings through the root logger, which an analysis does not show."""
    level = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(level)


def _codes(languages: Sequence[str], known: set[str]) -> dict[str, str]:
    """Our name -> the first of its ISO 639-3 codes that URIEL+ has."""
    first_known = {name: next((code for code in iso_639_3_codes(name) if code in known), None) for name in languages}
    return {name: code for name, code in sorted(first_known.items()) if code is not None}


def _pairs(base: Any, kind: str, codes: dict[str, str]) -> dict[tuple[str, str], float]:
    names = list(codes)
    if len(names) < 2:
        return {}
    unique = sorted(set(codes.values()))
    if len(unique) < 2:
        return {}
    matrix = np.asarray(base.new_distance(kind, unique), dtype=np.float64)
    index = {code: number for number, code in enumerate(unique)}
    values = {(a, b): float(matrix[index[codes[a]], index[codes[b]]]) for a in names for b in names if a < b}
    # -1 means that a pair shares no feature.
    return {pair: value for pair, value in values.items() if value >= 0}
