"""Sources and specific transfer: what is chosen, and what it is worth beyond a control."""

from donorgrid.core.tables.declaring import ARM, ARM_OPTIONAL, INT, REAL, TEXT, Table, ends_of
from donorgrid.core.tables.headline import NOISE_OPTIONAL, REGIMES, ROLE

SPECIFIC_REGIMES = Table(
    name="specific transfer by regime",
    columns={"control": TEXT, **REGIMES.columns},
    key=("control", *REGIMES.key),
    optional=NOISE_OPTIONAL,
)
"""Specific transfer: delta minus what a control gives the same target. ``control``: "other sources" (their mean), or a
kind of control source that the study has."""

SPECIFIC_ROLES = Table(
    name="specific roles",
    columns={"control": TEXT, "kind": TEXT, "name": TEXT, **ROLE, **ARM},
    key=("control", "kind", "name", *ARM),
    optional=NOISE_OPTIONAL,
)
"""Donor and recipient scores of languages and tasks (``kind``) by specific transfer."""

SOURCES = Table(
    name="sources",
    columns={
        "source_task": TEXT,
        "source_language": TEXT,
        "rank": INT,
        "mean_pp": REAL,
        "se_pp": REAL,
        "noise_se_pp": REAL,
        "low_pp": REAL,
        "high_pp": REAL,
        "harm_rate": REAL,
        "harm_rate_low": REAL,
        "harm_rate_high": REAL,
        "best_share": REAL,
        "n": INT,
        "n_models": INT,
        **ARM,
    },
    key=("source_task", "source_language", *ARM),
    optional=ARM_OPTIONAL | ends_of("harm_rate"),
)
"""Sources by their mean transfer (all targets but their own), over models. ``best_share``: in how many random halves of
the items the source came out best."""

CHOOSING = Table(
    name="choosing",
    columns={
        "what": TEXT,
        "model": TEXT,
        "best": TEXT,
        "n_candidates": INT,
        "apparent_pp": REAL,
        "honest_pp": REAL,
        "optimism_pp": REAL,
        "best_share": REAL,
        "half_agreement": REAL,
        "split": TEXT,
        "n_splits": INT,
        **ARM,
    },
    key=("what", "model", *ARM),
    optional=ARM_OPTIONAL,
)
"""The best of many looks better than it is: ``apparent_pp`` is the largest mean, ``honest_pp`` the mean of the one
chosen on one part of the items (or seeds) on the other part. ``half_agreement``: Kendall's tau-b between the two
parts' rankings, the ceiling of any agreement between models."""
