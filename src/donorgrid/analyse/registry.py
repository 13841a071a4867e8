"""Every table of the analysis, in the order in which they are made: the ``TABLES`` of the modules of ``tables/``."""

from donorgrid.analyse.tables import (
    agreement,
    choosing,
    consistency,
    coverage,
    degenerate,
    harm,
    intervals,
    linguistic,
    matrices,
    mixes,
    noise,
    pareto,
    regimes,
    roles,
    shared_texts,
    sources,
    specific,
    variance,
)
from donorgrid.analyse.tables.making import TableMaker

SOUND = "_sound"
"""Ending of the names of the headline tables without degenerate targets."""

UNSHARED = "_unshared"
"""Ending of the names of the tables that leave out cells whose source trains on the target's items too."""
WITHOUT_SHARED = ("regimes", "harm_breakdown", "noise", "intervals")
"""The headline tables that are made again without such cells."""

MAKERS: tuple[TableMaker, ...] = (
    *regimes.TABLES,
    *harm.TABLES,
    *roles.TABLES,
    *matrices.TABLES,
    *pareto.TABLES,
    *variance.TABLES,
    *consistency.TABLES,
    *noise.TABLES,
    *intervals.TABLES,
    *sources.TABLES,
    *choosing.TABLES,
    *agreement.TABLES,
    *specific.TABLES,
    *linguistic.TABLES,
    *degenerate.TABLES,
    *shared_texts.TABLES,
    *mixes.TABLES,
    *coverage.TABLES,
)
HEADLINE = tuple(maker for maker in MAKERS if maker.headline)
FURTHER = tuple(maker for maker in MAKERS if not maker.headline)
