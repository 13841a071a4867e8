"""The headline of the analysis: regimes, harm, roles, matrices, Pareto, coverage."""

from donorgrid.core.tables.declaring import (
    ARM,
    ARM_OPTIONAL,
    INT,
    REAL,
    SUMMARY,
    TEXT,
    YES,
    Columns,
    Table,
    ends_of,
    with_ends,
)

NOISE_OPTIONAL = ARM_OPTIONAL | {"mean_noise_se_pp", "donor_noise_se_pp", "recipient_noise_se_pp"}

REGIMES = Table(
    name="regimes",
    columns={
        "regime": TEXT,
        **SUMMARY,
        "n_models": INT,
        "mean_se_pp": REAL,
        "mean_noise_se_pp": REAL,
        "mean_low_pp": REAL,
        "mean_high_pp": REAL,
    }
    | {**ARM},
    key=("regime", *ARM),
    optional=NOISE_OPTIONAL,
)
"""One row per regime and one named ``transfer`` (all but MT-ML). ``mean_se_pp`` is over models, and so is the interval
(Student's t); both are empty for one model. ``mean_noise_se_pp`` is from items alone, as in the roles."""

HARM_BREAKDOWN = Table(
    name="harm breakdown",
    columns={"regime": TEXT, "by": TEXT, "value": TEXT, **with_ends(SUMMARY, "positive_rate", "harm_rate"), **ARM},
    key=("regime", "by", "value", *ARM),
    optional=ARM_OPTIONAL | ends_of("positive_rate", "harm_rate"),
)
"""Harm per regime, broken down ``by`` target_language, target_task, size_class, family or translation. ``_low`` and
``_high``: the intervals of the rates by clustered resampling (see INTERVALS)."""

ROLE: Columns = {
    "donor_pp": REAL,
    "donor_se_pp": REAL,
    "donor_low_pp": REAL,
    "donor_high_pp": REAL,
    "recipient_pp": REAL,
    "recipient_se_pp": REAL,
    "recipient_low_pp": REAL,
    "recipient_high_pp": REAL,
    "n_models": INT,
    "n_donor_cells": INT,
    "n_recipient_cells": INT,
    "donor_noise_se_pp": REAL,
    "recipient_noise_se_pp": REAL,
}
ROLES_LANGUAGE = Table(
    name="roles of languages",
    columns={"language": TEXT, **ROLE, **ARM},
    key=("language", *ARM),
    optional=NOISE_OPTIONAL,
)
"""Donor and recipient score of each language within MT-CL: the mean over models of the mean delta per model, its
standard error over models, and an interval by t over models. ``_noise_se_pp``: the standard error from items
(clustered on item ID over languages, sources, seeds and models), the models taken as fixed."""

ROLES_TASK = Table(
    name="roles of tasks", columns={"task": TEXT, **ROLE, **ARM}, key=("task", *ARM), optional=NOISE_OPTIONAL
)
"""The same for each task within CT-ML."""

ROLES_FAMILY = Table(
    name="roles of language families",
    columns={"language_family": TEXT, "n_languages": INT, **ROLE, **ARM},
    key=("language_family", *ARM),
    optional=NOISE_OPTIONAL,
)
"""The same for each family of languages within MT-CL."""

_ENTRY: Columns = {"mean_pp": REAL, "se_pp": REAL, "n": INT, "n_models": INT, "same": YES, "n_degenerate": INT, **ARM}
MATRIX_LANGUAGE = Table(
    name="matrix of languages",
    columns={"source_language": TEXT, "target_language": TEXT, **_ENTRY},
    key=("source_language", "target_language", *ARM),
    optional=ARM_OPTIONAL,
)
"""Mean delta of matched-task rows; ``same`` marks the diagonal (MT-ML: the trained cells). ``se_pp`` is over models."""

MATRIX_TASK = Table(
    name="matrix of tasks",
    columns={"source_task": TEXT, "target_task": TEXT, **_ENTRY},
    key=("source_task", "target_task", *ARM),
    optional=ARM_OPTIONAL,
)
"""Mean delta of matched-language rows between tasks; ``same`` marks the diagonal (MT-ML: the trained cells)."""

PARETO = Table(
    name="on-task against off-task",
    columns=with_ends(
        {
            "model": TEXT,
            "source_task": TEXT,
            "source_language": TEXT,
            "on_task_pp": REAL,
            "off_task_pp": REAL,
            "off_task_harm_rate": REAL,
            "n_on_task": INT,
            "n_off_task": INT,
            "front": YES,
            **ARM,
        },
        "off_task_harm_rate",
    ),
    key=("model", "source_task", "source_language", *ARM),
    optional=ARM_OPTIONAL | ends_of("off_task_harm_rate"),
)
"""One row per (model, source): x = mean delta over MT-CL targets, y = mean delta over the targets of other tasks;
``front`` marks sources that no other source of the same model beats on both."""

MIXES_CONTROLS = Table(
    name="mixes and controls",
    columns={"model": TEXT, "source_name": TEXT, "source_kind": TEXT, **SUMMARY, **ARM},
    key=("model", "source_name", *ARM),
    optional=ARM_OPTIONAL,
)
"""Sources that are no plain cell: all targets summarised, apart from the regimes."""

COVERAGE = Table(
    name="coverage",
    columns={"dimension": TEXT, "value": TEXT, "n_expected": INT, "n_found": INT, "n_missing": INT, **ARM},
    key=("dimension", "value", *ARM),
    optional=ARM_OPTIONAL,
)
"""How many cells of the full grid (seen models x sources x targets) are missing, and from what."""
