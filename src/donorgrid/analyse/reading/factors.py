"""The factors of the mixed models: the columns that make a component's levels, and what rows can tell apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.core.arrays import Ints

SOURCE, TARGET = ("source_task", "source_language"), ("target_task", "target_language")
CROSSED = "crossed"
FITS: dict[str, dict[str, tuple[str, ...]]] = {
    CROSSED: {"model": ("model",), "source": SOURCE, "target": TARGET},
    "crossed+interactions": {
        "model": ("model",),
        "source": SOURCE,
        "target": TARGET,
        "model:source": ("model", *SOURCE),
        "model:target": ("model", *TARGET),
    },
    "task+language": {
        "model": ("model",),
        "source_task": SOURCE[:1],
        "source_language": SOURCE[1:],
        "source_task:source_language": SOURCE,
        "target_task": TARGET[:1],
        "target_language": TARGET[1:],
        "target_task:target_language": TARGET,
    },
    "release-compatible": {
        "model": ("model",),
        "model:source": ("model", *SOURCE),
        "model:target": ("model", *TARGET),
    },
}
"""Fit -> component -> the columns whose combinations are its levels."""
QUICK_FITS = (CROSSED, "task+language")
"""The fits without interactions of models: their cost does not grow with models x cells."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """The factors of one fit.

    Attributes
    ----------
    usable : dict of str to ndarray
        Component that can be estimated -> level code of each row, shape ``(n_rows,)``.
    n_levels : dict of str to int
        Every component -> its levels.
    refused : dict of str to str
        Component that cannot be estimated -> why.
    """

    usable: dict[str, Ints]
    n_levels: dict[str, int]
    refused: dict[str, str]


def factors_of(rows: pl.DataFrame, components: Mapping[str, tuple[str, ...]]) -> Factors:
    """Sort the components of a fit into those that the rows can tell apart and the others.

    Parameters
    ----------
    rows : DataFrame
        Cells with the columns of every component.
    components : mapping of str to tuple of str
        Component -> the columns whose combinations are its levels (a value of ``FITS``).

    Returns
    -------
    Factors
    """
    usable: dict[str, Ints] = {}
    n_levels, refused = {}, {}
    for name, columns in components.items():
        codes = level_codes(rows, columns)
        n_levels[name] = int(codes.max()) + 1
        rivals = (other for other in usable if n_levels[other] == n_levels[name] and _same(usable[other], codes))
        twin = next(rivals, None)
        if n_levels[name] < 2:
            refused[name] = "not estimable: one level"
        elif n_levels[name] == rows.height:
            refused[name] = "not estimable: one row per level"
        elif twin:
            refused[name] = f"not estimable: the same as {twin}"
        else:
            usable[name] = codes
    return Factors(usable=usable, n_levels=n_levels, refused=refused)


def level_codes(rows: pl.DataFrame, columns: tuple[str, ...]) -> Ints:
    """The level of each row, for the combinations of some columns.

    Parameters
    ----------
    rows : DataFrame
        Rows with the columns.
    columns : tuple of str
        Columns whose combinations are the levels.

    Returns
    -------
    ndarray of int
        Codes from 0 in the sorted order of the levels' text, shape ``(n_rows,)``.
    """
    text = rows.select(pl.concat_str(columns, separator="/"))
    return text.to_series().rank("dense").to_numpy().astype(np.int64) - 1


def _same(a: Ints, b: Ints) -> bool:
    """True if two codings with equally many levels split the rows alike."""
    return bool(len(np.unique(a * (b.max() + 1) + b)) == a.max() + 1)
