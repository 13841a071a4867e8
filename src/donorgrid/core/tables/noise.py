"""Noise: cells, regimes, verdicts, baselines, intervals, and what a planned grid can show."""

from donorgrid.core.tables.declaring import ARM, ARM_OPTIONAL, INT, REAL, TEXT, YES, Table, ends_of

CELLS = Table(
    name="cells",
    columns={
        "model": TEXT,
        "source_task": TEXT,
        "source_language": TEXT,
        "target_task": TEXT,
        "target_language": TEXT,
        "regime": TEXT,
        "delta_pp": REAL,
        "noise_se_pp": REAL,
        "se_kind": TEXT,
        "low_pp": REAL,
        "high_pp": REAL,
        "verdict": TEXT,
        "p_value_harmed": REAL,
        "p_value_safe": REAL,
        "items_to_decide": REAL,
        "harmed": YES,
        "no_effect_harm_rate": REAL,
        "p_value_decrease": REAL,
        "p_value_increase": REAL,
        "q_value_decrease": REAL,
        "q_value_increase": REAL,
        "max_t_p_value_decrease": REAL,
        "eb_mean_pp": REAL,
        "eb_low_pp": REAL,
        "eb_high_pp": REAL,
        "eb_harm_probability": REAL,
        "degenerate": YES,
        **ARM,
    },
    key=("model", "source_task", "source_language", "target_task", "target_language", *ARM),
    optional=ARM_OPTIONAL | {"degenerate"},
)
"""Every (model, source, target) with its noise. ``noise_se_pp`` holds items and training runs; ``se_kind`` says where
it comes from (items, seeds, or an assumed flip rate). ``low_pp`` and ``high_pp`` are the bounds that the verdict reads:
the truth lies beyond each with a probability of at most 5%. ``verdict``: safe where the whole interval is above minus
the limit, harmed where it is below, else undecided; a ``degenerate`` target, whose baseline measures format, stays
undecided. ``p_value_harmed`` and ``p_value_safe``: of the tests at minus the limit that give these verdicts;
``items_to_decide`` items at 80% power. ``no_effect_harm_rate``: how often such a cell is at or below minus the limit
without any effect. ``p_value_decrease`` and ``p_value_increase``: one-sided tests of no effect, ``q_value_`` after
Benjamini-Hochberg over the transfer cells, ``max_t_p_value_`` by sign flips over all of them. ``eb_``: the posterior
under the prior that the crossed fit gives (empirical Bayes); ``eb_harm_probability`` is its probability of a true delta
at or below minus the limit."""

NOISE = Table(
    name="noise",
    columns={
        "regime": TEXT,
        "n": INT,
        "harm_rate": REAL,
        "harm_rate_low": REAL,
        "harm_rate_high": REAL,
        "expected_harm_rate_no_effect": REAL,
        "eb_harm_rate": REAL,
        "bh_harmed": REAL,
        "bh_helped": REAL,
        "by_harmed": REAL,
        "by_helped": REAL,
        "max_t_harmed": REAL,
        "safe_rate": REAL,
        "verdict_harmed_rate": REAL,
        "undecided_rate": REAL,
        "mean_noise_se_pp": REAL,
        "prior_sd_pp": REAL,
        "se_kind": TEXT,
        "harm_limit_pp": REAL,
        **ARM,
    },
    key=("regime", *ARM),
    optional=ARM_OPTIONAL | ends_of("harm_rate"),
)
"""Harm compared with noise: shares of the cells (0-1). ``harm_rate_low`` and ``harm_rate_high``: its interval (see
INTERVALS). ``expected_harm_rate_no_effect``: harmed cells without any true effect; ``eb_harm_rate``: the mean
probability of harm under the empirical-Bayes prior, the expected share truly at or below minus the limit;
``bh_harmed``: cells at or below minus the limit whose decrease survives Benjamini-Hochberg at 5% (``by_``:
Benjamini-Yekutieli; ``max_t_``: family-wise 5%); ``bh_helped``: cells whose increase does."""

VERDICTS = Table(
    name="verdicts",
    columns={
        "model": TEXT,
        "source_task": TEXT,
        "source_language": TEXT,
        "guarded": TEXT,
        "verdict": TEXT,
        "n_cells": INT,
        "n_safe": INT,
        "n_harmed": INT,
        "n_undecided": INT,
        "n_degenerate": INT,
        "worst_low_pp": REAL,
        "items_to_decide": REAL,
        "harm_limit_pp": REAL,
        **ARM,
    },
    key=("model", "source_task", "source_language", "guarded", *ARM),
    optional=ARM_OPTIONAL,
)
"""The joint verdict (intersection-union) on the targets of one (model, source): ``guarded`` is "all others", "same
task" or "other tasks". Only sound targets take part; the ``n_degenerate`` others show no skill that could be kept.
Undecided where no target is sound."""

BASELINES = Table(
    name="baselines",
    columns={
        "model": TEXT,
        "task": TEXT,
        "language": TEXT,
        "n_items": INT,
        "score_base": REAL,
        "score_base_low": REAL,
        "score_base_high": REAL,
        "chance": REAL,
        "chosen_entropy": REAL,
        "answer_entropy": REAL,
        "mean_delta_pp": REAL,
        "shared_se_pp": REAL,
        "corrected_delta_pp": REAL,
        "degenerate": YES,
        "reason": TEXT,
        **ARM,
    },
    key=("model", "task", "language", *ARM),
    optional=ARM_OPTIONAL,
)
"""Every (model, target) before training: its score with a Wilson interval, chance, and the entropy of its chosen
options and of the gold ones (0-1, of the largest possible). ``shared_se_pp``: the item error of the mean delta over
all sources, which every source shares because all subtract the same baseline; ``corrected_delta_pp`` is that mean
pulled towards the model's mean as far as such noise explains the spread of targets. ``degenerate`` targets measure
format, not skill."""

DEGENERATE = Table(
    name="degenerate",
    columns={"model": TEXT, "task": TEXT, "language": TEXT, "score_base": REAL, "chance": REAL, "reason": TEXT, **ARM},
    key=("model", "task", "language", *ARM),
    optional=ARM_OPTIONAL,
)
"""The baselines that measure format, with the reason."""

SHARED_TEXTS = Table(
    name="shared texts",
    columns={
        "source_task": TEXT,
        "source_language": TEXT,
        "target_task": TEXT,
        "target_language": TEXT,
        "regime": TEXT,
        "n_shared": INT,
        "n_items": INT,
        "parallel": YES,
        "example": TEXT,
        "mean_delta_pp": REAL,
        **ARM,
    },
    key=("source_task", "source_language", "target_task", "target_language", *ARM),
    optional=ARM_OPTIONAL,
)
"""The pairs of a source and a target that share texts: ``n_shared`` of the target's ``n_items`` test items hold a
training text of the source, or (``parallel``) are such items in another language; ``example`` is the ID of one.
``mean_delta_pp`` is over models. Training texts are those that a run may draw."""

INTERVALS = Table(
    name="intervals",
    columns={
        "kind": TEXT,
        "name": TEXT,
        "statistic": TEXT,
        "value": REAL,
        "low": REAL,
        "high": REAL,
        "resampled": TEXT,
        "n_models": INT,
        "n_draws": INT,
        **ARM,
    },
    key=("kind", "name", "statistic", *ARM),
    optional=ARM_OPTIONAL,
)
"""Intervals by clustered resampling, if item answers are available: of each regime's mean_pp, positive_rate and
harm_rate, and of the mean_pp of donors, recipients and sources (``kind``), averaged over models. ``resampled``: what
was drawn again; models where there are at least three."""


POWER = Table(
    name="power",
    columns={
        "what": TEXT,
        "n_models": INT,
        "n_cells": INT,
        "n_seeds": INT,
        "n_items": INT,
        "se_pp": REAL,
        "smallest_delta_pp": REAL,
        "wanted_pp": REAL,
        "items_needed": INT,
        "harm_limit_pp": REAL,
        "noise_harm_rate": REAL,
        "flip_rate": REAL,
        "origin": TEXT,
        "level": REAL,
        "power": REAL,
    },
    key=("what",),
)
"""What a planned grid can show. ``n_cells`` cells per model are averaged; ``smallest_delta_pp`` is found with ``power``
by a two-sided test at ``level``; ``items_needed`` items per cell would find ``wanted_pp`` (empty where no number
would, because runs and models differ). ``noise_harm_rate`` is the share of such deltas at or below minus
``harm_limit_pp`` where nothing has an effect. ``origin`` says where the noise comes from."""
