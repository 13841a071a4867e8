"""How alike languages are, from built-in facts: half for the same family, half for the same branch."""

from collections.abc import Sequence
from itertools import combinations

from donorgrid.facts.languages import language_facts
from donorgrid.statistics.transfer_model.similarity import Similarity

_MOST = 0.5
"""The similarity of two languages of one branch: the rest of a language's effect is its own."""


def similar_languages(languages: Sequence[str]) -> Similarity:
    """Returns the similarity of languages by family and branch; a language without facts is like no other."""
    pairs = {}
    for first, second in combinations(sorted(set(languages)), 2):
        a, b = language_facts(first), language_facts(second)
        if a is not None and b is not None and a.family == b.family:
            pairs[first, second] = _MOST * (1.0 if a.branch == b.branch else 0.5)
    return Similarity(pairs=pairs)
