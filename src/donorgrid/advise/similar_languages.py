"""How alike languages are: from built-in facts, half for the same family and half for the branch; or from distances."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from donorgrid.facts.distances import Distances
from donorgrid.facts.languages import language_facts
from donorgrid.statistics.transfer_model.similarity import Similarity

_MOST = 0.5
"""The similarity of two languages of one branch: the rest of a language's effect is its own."""


def similar_languages(languages: Sequence[str], distances: Mapping[str, Distances] | None = None) -> Similarity:
    """The similarity of languages.

    Parameters
    ----------
    languages : sequence of str
        Codes; a language without facts is like no other.
    distances : mapping of str to Distances, optional
        Cosine distances of several kinds, such as URIEL+'s: half of one minus their mean takes the place of family and
        branch for the pairs that have one.

    Returns
    -------
    Similarity
        With ones on its diagonal, positive semi-definite.
    """
    names = sorted(set(languages))
    pairs = {pair: value for pair in combinations(names, 2) if (value := _by_facts(*pair)) > 0.0}
    if distances is None:
        return Similarity(pairs=pairs)
    means = {pair: mean for pair in combinations(names, 2) if (mean := _mean_distance(pair, distances)) is not None}
    pairs |= {pair: _MOST * float(np.clip(1.0 - value, 0.0, 1.0)) for pair, value in means.items()}
    return _positive(names, pairs)


def _by_facts(first: str, second: str) -> float:
    a, b = language_facts(first), language_facts(second)
    if a is None or b is None or a.family != b.family:
        return 0.0
    return _MOST * (1.0 if a.branch == b.branch else 0.5)


def _mean_distance(pair: tuple[str, str], distances: Mapping[str, Distances]) -> float | None:
    known = [kind[key] for kind in distances.values() for key in (pair, pair[::-1]) if key in kind]
    return float(np.mean(known)) if known else None


def _positive(names: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> Similarity:
    """The similarities as a positive semi-definite matrix with ones on its diagonal: negative eigenvalues are cut."""
    values, vectors = np.linalg.eigh(Similarity(pairs=pairs).between(names, names))
    matrix = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(matrix))
    matrix = matrix / np.outer(scale, scale)
    index = {name: number for number, name in enumerate(names)}
    return Similarity(pairs={(a, b): float(matrix[index[a], index[b]]) for a, b in combinations(names, 2)})
