"""Distances between languages from the built-in facts: from 0 (alike) to 1.

``family``: 0 same branch, 1/2 same family, 1 different families. ``branch``: 0 same branch, 1 otherwise.
``script``: 0 same script, 1 otherwise.
"""

from collections.abc import Mapping, Sequence

from donorgrid.facts.language_table import Language
from donorgrid.facts.languages import language_facts

Distances = Mapping[tuple[str, str], float]
"""(language, language) -> distance; each pair once, in either order."""


def built_in_distances(languages: Sequence[str]) -> dict[str, dict[tuple[str, str], float]]:
    """Returns distances by name (family, branch, script); pairs with an unknown language are left out."""
    known = {name: facts for name in sorted(set(languages)) if (facts := language_facts(name)) is not None}
    pairs = [(a, b) for a in known for b in known if a < b]
    rules = {"family": _family, "branch": _branch, "script": _script}
    return {name: {(a, b): rule(known[a], known[b]) for a, b in pairs} for name, rule in rules.items()}


def _family(a: Language, b: Language) -> float:
    if a.family != b.family:
        return 1.0
    return 0.0 if a.branch == b.branch else 0.5


def _branch(a: Language, b: Language) -> float:
    return float((a.family, a.branch) != (b.family, b.branch))


def _script(a: Language, b: Language) -> float:
    return float(a.script != b.script)
