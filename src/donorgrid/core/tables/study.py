"""What a study measures: item answers, and the deltas computed from them."""

import polars as pl

from donorgrid.core.tables.declaring import INT, REAL, TEXT, YES, Columns, Table

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
        "loglik_precision": TEXT,
    },
    key=("target_task", "target_language", "item_id"),
    optional=frozenset({"loglik_precision"}),
)
"""One row per item that one subject (a run or a baseline) answered. ``loglik_precision`` is ``fp32`` or ``bf16``; null
where no option was scored here, absent in files of earlier versions."""

_SOURCE: Columns = {
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
    "checkpoint": REAL,
    "strength": REAL,
}
_COUNTS: Columns = {
    "n_items": INT,
    "n_right": INT,
    "n_right_base": INT,
    "n_right_norm": INT,
    "n_right_norm_base": INT,
    "n_unpaired": INT,
}
_SCORES: Columns = {
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
_OPTIONAL = frozenset(
    {"family", "size_b", "control", "regime", *_COUNTS, *_SCORES, "data_seed", "train_size", "checkpoint", "strength"}
) - {"delta_pp"}
_DELTA_KEY = (
    "model",
    "recipe",
    "source_name",
    "data_seed",
    "train_size",
    "checkpoint",
    "strength",
    "target_task",
    "target_language",
)

DELTAS_BY_SEED = Table(
    name="deltas by seed",
    columns={**_SOURCE, "train_seed": INT, **_COUNTS, **_SCORES},
    key=(*_DELTA_KEY, "train_seed"),
    optional=_OPTIONAL,
)
"""One row per (model, recipe, source, target, train seed, data seed, train size, checkpoint, strength).

``checkpoint`` is in epochs, null at the end of a training. ``strength`` is null in a study without strengths; in one
with strengths it is 1 for an adapter as it was trained. ``delta_pp`` is the delta of ``metric`` ("acc" or "acc_norm");
counts are right answers of ``n_items`` items, so that limits are compared exactly. ``n_unpaired`` items were answered
by one of the two sides only and do not count."""

DELTAS = Table(
    name="deltas",
    columns={**_SOURCE, "n_seeds": INT, **_COUNTS, **_SCORES, "se_seed_pp": REAL},
    key=_DELTA_KEY,
    optional=_OPTIONAL | {"se_seed_pp"},
)
"""The same, seeds pooled: counts are sums over seeds (``n_items`` too), ``delta_pp`` is the mean over seeds. ``se_pp``
is the paired standard error from the items (clustered on item ID over seeds), ``se_seed_pp`` the standard error of
the mean over train seeds."""
