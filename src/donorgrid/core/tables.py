"""The declared tables: columns with types and units, and keys. A frame that leaves a stage is checked here.

Units are in the names: ``_pp`` percentage points, ``_rate`` and ``_share`` 0-1, ``_nats`` natural logarithms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from donorgrid.core.errors import InputError, suggestion

TEXT, INT, REAL, YES = pl.String, pl.Int64, pl.Float64, pl.Boolean


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table's declaration: its name, its columns in order, the key (unique), and the columns that may be absent.

    A key column is never null, unless it is optional (``train_size`` is null where all items are used).
    """

    name: str
    columns: Mapping[str, type[pl.DataType] | pl.DataType]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the declared columns, in the declared order and types; further columns follow.

        Raises InputError when a required column is missing, a value does not fit its type, or a key is null or double.
        """
        for name in self.columns.keys() - self.optional:
            if name not in frame.columns:
                near = suggestion(name, frame.columns)
                raise InputError(f"table '{self.name}': column '{name}' is missing; it has {frame.columns}{near}")
        known = [name for name in self.columns if name in frame.columns]
        further = [name for name in frame.columns if name not in self.columns]
        try:
            cast = frame.select(*(pl.col(name).cast(self.columns[name]) for name in known), *further)
        except pl.exceptions.InvalidOperationError as error:
            raise InputError(f"table '{self.name}': {str(error).splitlines()[0]}") from error
        return self._with_sound_key(cast)

    def _with_sound_key(self, frame: pl.DataFrame) -> pl.DataFrame:
        key = [name for name in self.key if name in frame.columns]
        for name in key:
            if name not in self.optional and frame[name].null_count():
                raise InputError(f"table '{self.name}': column '{name}' has empty values; it is part of the key")
        doubles = frame.filter(pl.struct(key).is_duplicated()) if key else frame.clear()
        if doubles.height:
            row = ", ".join(f"{name}={doubles[name][0]}" for name in key)
            raise InputError(f"table '{self.name}': {doubles.height} rows share their key, the first is {row}")
        return frame

    def empty(self) -> pl.DataFrame:
        """A frame with the declared columns and no rows."""
        return pl.DataFrame(schema=dict(self.columns))

    def schema_without_arm(self) -> dict[str, type[pl.DataType] | pl.DataType]:
        """The columns but for recipe and train size, which are added when the arms are stacked."""
        return {name: kind for name, kind in self.columns.items() if name not in _ARM}


ITEM_ANSWERS = Table(
    name="item answers",
    columns={
        "target_task": TEXT,
        "target_language": TEXT,
        "item_id": TEXT,
        "answer": pl.Int32,
        "choice_logliks_nats": pl.List(pl.Float64),
        "choice_lengths": pl.List(pl.Int32),
        "chosen": pl.Int32,
        "correct": YES,
        "chosen_norm": pl.Int32,
        "correct_norm": YES,
        "generated": TEXT,
    },
    key=("target_task", "target_language", "item_id"),
)
"""One row per item that one subject (a run or a baseline) answered."""

_SOURCE = {
    "model": TEXT,
    "family": TEXT,
    "size_b": REAL,
    "recipe": TEXT,
    "source_kind": TEXT,
    "source_name": TEXT,
    "control": TEXT,
    "source_task": TEXT,
    "source_language": TEXT,
    "target_task": TEXT,
    "target_language": TEXT,
    "regime": TEXT,
    "data_seed": INT,
    "train_size": INT,
}
_COUNTS = {
    "n_items": INT,
    "n_right": INT,
    "n_right_base": INT,
    "n_right_norm": INT,
    "n_right_norm_base": INT,
    "n_unpaired": INT,
}
_SCORES = {
    "score": REAL,
    "score_base": REAL,
    "score_norm": REAL,
    "score_norm_base": REAL,
    "delta_acc_pp": REAL,
    "delta_acc_norm_pp": REAL,
    "metric": TEXT,
    "delta_pp": REAL,
    "se_pp": REAL,
}
_OPTIONAL = frozenset({"family", "size_b", "control", "regime", *_COUNTS, *_SCORES, "data_seed", "train_size"}) - {
    "delta_pp"
}
_DELTA_KEY = ("model", "recipe", "source_name", "data_seed", "train_size", "target_task", "target_language")

DELTAS_BY_SEED = Table(
    name="deltas by seed",
    columns={**_SOURCE, "train_seed": INT, **_COUNTS, **_SCORES},
    key=(*_DELTA_KEY, "train_seed"),
    optional=_OPTIONAL,
)
"""One row per (model, recipe, source, target, train seed, data seed, train size). ``delta_pp`` is the delta of
``metric`` ("acc" or "acc_norm"); counts are right answers of ``n_items`` items, so that limits are compared exactly.
``n_unpaired`` items were answered by one of the two sides only and do not count."""

DELTAS = Table(
    name="deltas",
    columns={**_SOURCE, "n_seeds": INT, **_COUNTS, **_SCORES, "se_seed_pp": REAL},
    key=_DELTA_KEY,
    optional=_OPTIONAL | {"se_seed_pp"},
)
"""The same, seeds pooled: counts are sums over seeds (``n_items`` too), ``delta_pp`` is the mean over seeds. ``se_pp``
is the paired standard error from the items (clustered on item ID over seeds), ``se_seed_pp`` the standard error of
the mean over train seeds."""

_ARM = {"recipe": TEXT, "train_size": INT}
_ARM_OPTIONAL = frozenset(_ARM) | {"n_degenerate"}
_NOISE_OPTIONAL = _ARM_OPTIONAL | {"mean_noise_se_pp", "donor_noise_se_pp", "recipient_noise_se_pp"}
_SUMMARY = {
    "n": INT,
    "mean_pp": REAL,
    "median_pp": REAL,
    "positive_rate": REAL,
    "harm_rate": REAL,
    "n_harmed": INT,
    "harm_limit_pp": REAL,
    "n_degenerate": INT,
}
"""Of n deltas; ``n_degenerate`` of them have a target whose baseline measures format (see DEGENERATE)."""

REGIMES = Table(
    name="regimes",
    columns={
        "regime": TEXT,
        **_SUMMARY,
        "n_models": INT,
        "mean_se_pp": REAL,
        "mean_noise_se_pp": REAL,
        "mean_low_pp": REAL,
        "mean_high_pp": REAL,
    }
    | {**_ARM},
    key=("regime", *_ARM),
    optional=_NOISE_OPTIONAL,
)
"""One row per regime and one named ``transfer`` (all but MT-ML). ``mean_se_pp`` is over models, and so is the interval
(Student's t); both are empty for one model. ``mean_noise_se_pp`` is from items alone, as in the roles."""

HARM_BREAKDOWN = Table(
    name="harm breakdown",
    columns={"regime": TEXT, "by": TEXT, "value": TEXT, **_SUMMARY, **_ARM},
    key=("regime", "by", "value", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Harm per regime, broken down ``by`` target_language, target_task, size_class, family or translation."""

_ROLE = {
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
    columns={"language": TEXT, **_ROLE, **_ARM},
    key=("language", *_ARM),
    optional=_NOISE_OPTIONAL,
)
"""Donor and recipient score of each language within MT-CL: the mean over models of the mean delta per model, its
standard error over models, and an interval by t over models. ``_noise_se_pp``: the standard error from items
(clustered on item ID over languages, sources, seeds and models), the models taken as fixed."""

ROLES_TASK = Table(
    name="roles of tasks", columns={"task": TEXT, **_ROLE, **_ARM}, key=("task", *_ARM), optional=_NOISE_OPTIONAL
)
"""The same for each task within CT-ML."""

ROLES_FAMILY = Table(
    name="roles of language families",
    columns={"language_family": TEXT, "n_languages": INT, **_ROLE, **_ARM},
    key=("language_family", *_ARM),
    optional=_NOISE_OPTIONAL,
)
"""The same for each family of languages within MT-CL."""

_ENTRY = {"mean_pp": REAL, "se_pp": REAL, "n": INT, "n_models": INT, "same": YES, "n_degenerate": INT, **_ARM}
MATRIX_LANGUAGE = Table(
    name="matrix of languages",
    columns={"source_language": TEXT, "target_language": TEXT, **_ENTRY},
    key=("source_language", "target_language", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Mean delta of matched-task rows; ``same`` marks the diagonal (MT-ML: the trained cells). ``se_pp`` is over models."""

MATRIX_TASK = Table(
    name="matrix of tasks",
    columns={"source_task": TEXT, "target_task": TEXT, **_ENTRY},
    key=("source_task", "target_task", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Mean delta of matched-language rows between tasks; ``same`` marks the diagonal (MT-ML: the trained cells)."""

PARETO = Table(
    name="on-task against off-task",
    columns={
        "model": TEXT,
        "source_task": TEXT,
        "source_language": TEXT,
        "on_task_pp": REAL,
        "off_task_pp": REAL,
        "off_task_harm_rate": REAL,
        "n_on_task": INT,
        "n_off_task": INT,
        "front": YES,
        **_ARM,
    },
    key=("model", "source_task", "source_language", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""One row per (model, source): x = mean delta over MT-CL targets, y = mean delta over the targets of other tasks;
``front`` marks sources that no other source of the same model beats on both."""

MIXES_CONTROLS = Table(
    name="mixes and controls",
    columns={"model": TEXT, "source_name": TEXT, "source_kind": TEXT, **_SUMMARY, **_ARM},
    key=("model", "source_name", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Sources that are no plain cell: all targets summarised, apart from the regimes."""

COVERAGE = Table(
    name="coverage",
    columns={"dimension": TEXT, "value": TEXT, "n_expected": INT, "n_found": INT, "n_missing": INT, **_ARM},
    key=("dimension", "value", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""How many cells of the full grid (seen models x sources x targets) are missing, and from what."""

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
        **_ARM,
    },
    key=("scope", "fit", "component", *_ARM),
    optional=_ARM_OPTIONAL,
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
        **_ARM,
    },
    key=("scope", "component", "level", *_ARM),
    optional=_ARM_OPTIONAL,
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
        **_ARM,
    },
    key=("level", "regime", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Kendall's tau-b between raters (models, families or sizes) over a source's recipients, averaged over pairs of raters:
median and quartiles over sources, an interval from resampling sources, and what random rankings would give."""

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
        "items_to_decide": REAL,
        "harmed": YES,
        "no_effect_harm_probability": REAL,
        "p_harm": REAL,
        "p_help": REAL,
        "q_harm": REAL,
        "q_help": REAL,
        "max_t_harm": REAL,
        "eb_mean_pp": REAL,
        "eb_low_pp": REAL,
        "eb_high_pp": REAL,
        "eb_harm_probability": REAL,
        "degenerate": YES,
        **_ARM,
    },
    key=("model", "source_task", "source_language", "target_task", "target_language", *_ARM),
    optional=_ARM_OPTIONAL | {"degenerate"},
)
"""Every (model, source, target) with its noise. ``noise_se_pp`` holds items and training runs; ``se_kind`` says where
it comes from (items, seeds, or an assumed flip rate). ``verdict`` safe, harmed or undecided at the limit, by
one-sided bounds; ``items_to_decide`` items at 80% power. ``p_`` one-sided tests of no effect, ``q_`` after
Benjamini-Hochberg over the transfer cells, ``max_t_`` sign flips over all of them; ``eb_`` the empirical-Bayes
posterior. ``degenerate``: the target's baseline measures format."""

NOISE = Table(
    name="noise",
    columns={
        "regime": TEXT,
        "n": INT,
        "harm_rate": REAL,
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
        **_ARM,
    },
    key=("regime", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Harm beside noise, shares of the cells (0-1). ``expected_harm_rate_no_effect``: harmed cells if no cell had a true
effect; ``eb_harm_rate``: expected share truly at or below minus the limit; ``bh_harmed``: cells at or below minus
the limit whose decrease survives Benjamini-Hochberg at 5% (``by_``: Benjamini-Yekutieli; ``max_t_``: family-wise
5%); ``bh_helped``: cells whose increase does."""

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
        "worst_low_pp": REAL,
        "items_to_decide": REAL,
        "harm_limit_pp": REAL,
        **_ARM,
    },
    key=("model", "source_task", "source_language", "guarded", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""The joint verdict (intersection-union) on all targets of one (model, source): ``guarded`` is "all others", "same
task" or "other tasks"."""

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
        **_ARM,
    },
    key=("model", "task", "language", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Every (model, target) before training: its score with a Wilson interval, chance, and the entropy of its chosen
options and of the gold ones (0-1, of the largest possible). ``shared_se_pp``: the item error of the mean delta over
all sources, which every source shares because all subtract the same baseline; ``corrected_delta_pp`` is that mean
pulled towards the model's mean as far as such noise explains the spread of targets. ``degenerate`` targets measure
format, not skill."""

DEGENERATE = Table(
    name="degenerate",
    columns={"model": TEXT, "task": TEXT, "language": TEXT, "score_base": REAL, "chance": REAL, "reason": TEXT, **_ARM},
    key=("model", "task", "language", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""The baselines that measure format, with the reason."""

SPECIFIC_REGIMES = Table(
    name="specific transfer by regime",
    columns={"control": TEXT, **REGIMES.columns},
    key=("control", *REGIMES.key),
    optional=_NOISE_OPTIONAL,
)
"""Specific transfer: delta minus what a control gives the same target. ``control``: "other sources" (their mean), or a
kind of control source that the study has."""

SPECIFIC_ROLES = Table(
    name="specific roles",
    columns={"control": TEXT, "kind": TEXT, "name": TEXT, **_ROLE, **_ARM},
    key=("control", "kind", "name", *_ARM),
    optional=_NOISE_OPTIONAL,
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
        "best_share": REAL,
        "n": INT,
        "n_models": INT,
        **_ARM,
    },
    key=("source_task", "source_language", *_ARM),
    optional=_ARM_OPTIONAL,
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
        **_ARM,
    },
    key=("what", "model", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""The best of many looks better than it is: ``apparent_pp`` is the largest mean, ``honest_pp`` the mean of the one
chosen on one part of the items (or seeds) on the other part. ``half_agreement``: Kendall's tau-b between the two
parts' rankings, the ceiling of any agreement between models."""

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
        **_ARM,
    },
    key=("what", "between", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Rank agreement of donor scores between models, and between subsets of tasks by how they were translated, beside the
agreement of one model with itself on the other half of the items."""

LINGUISTIC = Table(
    name="linguistic",
    columns={
        "distance": TEXT,
        "transfer": TEXT,
        "pearson": REAL,
        "pearson_p": REAL,
        "spearman": REAL,
        "spearman_p": REAL,
        "n_languages": INT,
        "n_pairs": INT,
        "n_permutations": INT,
        **_ARM,
    },
    key=("distance", "transfer", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Correlation of MT-CL transfer (``transfer``: "delta", or "specific: " and its control) with a distance between the
two languages; p-values by permuting languages (Mantel), two-sided."""


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
        **_ARM,
    },
    key=("kind", "name", "statistic", *_ARM),
    optional=_ARM_OPTIONAL,
)
"""Intervals by clustered resampling, where item answers are at hand: of each regime's mean_pp, positive_rate and
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
        "flip_rate": REAL,
        "origin": TEXT,
        "level": REAL,
        "power": REAL,
    },
    key=("what",),
)
"""What a planned grid can show. ``n_cells`` cells per model are averaged; ``smallest_delta_pp`` is found with ``power``
by a two-sided test at ``level``; ``items_needed`` items per cell would find ``wanted_pp`` (empty where no number
would, because runs and models differ). ``origin`` says where the noise comes from."""
