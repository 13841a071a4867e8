"""Which tables the page leads with: those of sound targets where some are degenerate, with the others beside them."""

from collections.abc import Mapping

import polars as pl

_SOUND = "_sound"
"""Ending of a table without degenerate targets."""
WITH_DEGENERATE = "_with_degenerate"
"""Ending that a table gets on the page when the one without degenerate targets takes its place."""
UNSHARED = "_unshared"
"""Ending of a table without cells whose source trains on the target's items."""
_OF_ALL_TARGETS = frozenset({"variance", "effects"})
"""The page shows these for all targets: without degenerate ones, not every mixed model is fitted."""
Tables = Mapping[str, pl.DataFrame]


def headline_tables(tables: Tables) -> dict[str, pl.DataFrame]:
    """The tables, with those of sound targets in the place of those of all targets.

    Parameters
    ----------
    tables
        Table name to table, as an analysis returns them.

    Returns
    -------
    dict of str to polars.DataFrame
        A replaced table is also there under its name with ``WITH_DEGENERATE``. Unchanged where no target is degenerate,
        or none is sound.
    """
    if not _has_degenerate(tables) or no_target_is_sound(tables):
        return dict(tables)
    of_sound = {name.removesuffix(_SOUND): frame for name, frame in tables.items() if name.endswith(_SOUND)}
    sound = {name: frame for name, frame in of_sound.items() if name not in _OF_ALL_TARGETS}
    replaced = {f"{name}{WITH_DEGENERATE}": tables[name] for name in sound if name in tables}
    return {**tables, **sound, **replaced}


def no_target_is_sound(tables: Tables) -> bool:
    """True if the analysis has no cell on a sound target."""
    sound = tables.get(f"regimes{_SOUND}")
    return _has_degenerate(tables) and sound is not None and sound.is_empty()


def _has_degenerate(tables: Tables) -> bool:
    degenerate = tables.get("degenerate")
    return degenerate is not None and not degenerate.is_empty()
