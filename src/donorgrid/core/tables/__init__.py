"""The declared tables: columns with types and units, and keys. A frame that leaves a stage is checked against them.

Units are in the names: ``_pp`` percentage points, ``_rate`` and ``_share`` 0-1, ``_nats`` natural logarithms.
"""

from donorgrid.core.tables.declaring import INT, REAL, TEXT, YES, Table
from donorgrid.core.tables.headline import (
    COVERAGE,
    HARM_BREAKDOWN,
    MATRIX_LANGUAGE,
    MATRIX_TASK,
    MIXES_CONTROLS,
    PARETO,
    REGIMES,
    ROLES_FAMILY,
    ROLES_LANGUAGE,
    ROLES_TASK,
)
from donorgrid.core.tables.models import AGREEMENT, CONSISTENCY, EFFECTS, LINGUISTIC, VARIANCE
from donorgrid.core.tables.noise import BASELINES, CELLS, DEGENERATE, INTERVALS, NOISE, POWER, VERDICTS
from donorgrid.core.tables.sources import CHOOSING, SOURCES, SPECIFIC_REGIMES, SPECIFIC_ROLES
from donorgrid.core.tables.study import DELTAS, DELTAS_BY_SEED, ITEM_ANSWERS

__all__ = [
    "AGREEMENT",
    "BASELINES",
    "CELLS",
    "CHOOSING",
    "CONSISTENCY",
    "COVERAGE",
    "DEGENERATE",
    "DELTAS",
    "DELTAS_BY_SEED",
    "EFFECTS",
    "HARM_BREAKDOWN",
    "INT",
    "INTERVALS",
    "ITEM_ANSWERS",
    "LINGUISTIC",
    "MATRIX_LANGUAGE",
    "MATRIX_TASK",
    "MIXES_CONTROLS",
    "NOISE",
    "PARETO",
    "POWER",
    "REAL",
    "REGIMES",
    "ROLES_FAMILY",
    "ROLES_LANGUAGE",
    "ROLES_TASK",
    "SOURCES",
    "SPECIFIC_REGIMES",
    "SPECIFIC_ROLES",
    "TEXT",
    "VARIANCE",
    "VERDICTS",
    "YES",
    "Table",
]
