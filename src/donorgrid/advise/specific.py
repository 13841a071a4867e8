"""The specific part of a gain: what an option gives beyond what a control gives the same targets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from donorgrid.advise.judging import Judged, SpecificPart
from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals

OTHER_SOURCES = "the mean of the other sources"


def with_specific_parts(judged: Sequence[Judged], controls: Mapping[str, Reals], wish: Wish) -> list[Judged]:
    """Add the specific part of each gain.

    Parameters
    ----------
    judged : sequence of Judged
        Options of one arm, of the same joint draws.
    controls : mapping of str to ndarray
        Draws of the objective under each control, shape ``(n_draws,)``.
    wish : Wish
        Its ``confidence``.

    Returns
    -------
    list of Judged
        Nothing is added to what is not trained, and no mean of others where there is at most one other source.
    """
    singles = [index for index, option in enumerate(judged) if len(option.option.cells) == 1]
    total = np.sum([judged[index].gains for index in singles], axis=0)
    results = []
    for index, option in enumerate(judged):
        against = dict(controls)
        n_others = len(singles) - (index in singles)
        if n_others > 1:
            others = total - option.gains if index in singles else total
            against[OTHER_SOURCES] = np.asarray(others / n_others)
        parts = tuple(_part(name, option.gains - gains, wish) for name, gains in against.items())
        results.append(replace(option, specific=parts) if option.option.cells else option)
    return results


def _part(name: str, differences: Reals, wish: Wish) -> SpecificPart:
    tail = (1.0 - wish.confidence) / 2.0
    low, high = np.quantile(differences, [tail, 1.0 - tail])
    return SpecificPart(against=name, gain_pp=float(differences.mean()), low_pp=float(low), high_pp=float(high))
