"""What the mixed models and the rankings say: variance, effects, consistency, agreement, distance."""

from donorgrid.core.tables.declaring import ARM, ARM_OPTIONAL, INT, REAL, TEXT, YES, Table

VARIANCE = Table(
    name="variance",
    columns={
        "scope": TEXT,
        "fit": TEXT,
        "component": TEXT,
        "variance": REAL,
        "share": REAL,
        "share_low": REAL,
        "share_high": REAL,
        "n_levels": INT,
        "status": TEXT,
        "criterion": REAL,
        "converged": YES,
        "evaluations": INT,
        "n_rows": INT,
        "n_refits": INT,
        "intercept_pp": REAL,
        "intercept_se_pp": REAL,
        **ARM,
    },
    key=("scope", "fit", "component", *ARM),
    optional=ARM_OPTIONAL,
)
"""Variance components of the deltas by REML. ``scope`` transfer, MT-CL, CT-ML or CT-CL; ``fit`` crossed,
crossed+interactions, task+language or release-compatible; ``variance`` in squared pp; ``share`` of the total with a
95% interval. ``status``: estimated, "at zero", or why the component cannot be estimated. ``criterion`` is -2 log
restricted likelihood."""

EFFECTS = Table(
    name="effects",
    columns={
        "scope": TEXT,
        "component": TEXT,
        "level": TEXT,
        "effect_pp": REAL,
        "se_pp": REAL,
        **ARM,
    },
    key=("scope", "component", "level", *ARM),
    optional=ARM_OPTIONAL,
)
"""Best linear unbiased predictions of the crossed fit: what each model, source and target adds to the mean."""

CONSISTENCY = Table(
    name="consistency",
    columns={
        "level": TEXT,
        "regime": TEXT,
        "median": REAL,
        "q1": REAL,
        "q3": REAL,
        "n_sources": INT,
        "median_low": REAL,
        "median_high": REAL,
        "null_median": REAL,
        "null_high": REAL,
        "p_value": REAL,
        "n_raters": INT,
        "n_pairs": INT,
        "n_undefined": INT,
        **ARM,
    },
    key=("level", "regime", *ARM),
    optional=ARM_OPTIONAL,
)
"""Kendall's tau-b between raters (models, families or sizes) over a source's recipients, averaged over pairs of raters:
median and quartiles over sources, an interval from resampling sources, and what random rankings would give."""

AGREEMENT = Table(
    name="agreement",
    columns={
        "what": TEXT,
        "between": TEXT,
        "n_candidates": INT,
        "n_pairs": INT,
        "kendall": REAL,
        "spearman": REAL,
        "ceiling_kendall": REAL,
        **ARM,
    },
    key=("what", "between", *ARM),
    optional=ARM_OPTIONAL,
)
"""Rank agreement of donor scores between models, and between subsets of tasks by how they were translated, and the
agreement of one model with itself on the other half of the items."""

LINGUISTIC = Table(
    name="linguistic",
    columns={
        "distance": TEXT,
        "transfer": TEXT,
        "pearson": REAL,
        "pearson_p_value": REAL,
        "spearman": REAL,
        "spearman_p_value": REAL,
        "n_languages": INT,
        "n_pairs": INT,
        "n_permutations": INT,
        **ARM,
    },
    key=("distance", "transfer", *ARM),
    optional=ARM_OPTIONAL,
)
"""Correlation of MT-CL transfer (``transfer``: "delta", or "specific: " and its control) with a distance between the
two languages; p-values by permuting languages (Mantel), two-sided."""
