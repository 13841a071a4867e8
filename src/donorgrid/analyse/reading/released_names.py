"""The released table's column names (arXiv 2511.13368) and ours, both ways."""

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED

RELEASED_NAMES = {
    "model": "model_name",
    "size_b": "model_size",
    "source_task": "fine_tuned_dataset",
    "source_language": "fine_tuned_language",
    "target_task": "eval_dataset",
    "target_language": "eval_language",
    "regime": "regime",
    "score": "score_mean",
    "score_base": "score_base_mean",
    "score_norm": "score_norm_mean",
    "score_norm_base": "score_norm_base_mean",
    "delta_acc_pp": "delta_score_mean",
    "delta_acc_norm_pp": "delta_score_norm_mean",
    "n_seeds": "n_seeds",
}
"""Our column -> the released one, for the columns that both have."""

SPREADS = {
    "score": "score",
    "score_base": "score_base",
    "score_norm": "score_norm",
    "score_norm_base": "score_norm_base",
    "delta_acc_pp": "delta_score",
    "delta_acc_norm_pp": "delta_score_norm",
}
"""Our column -> the stem of the released ``_std`` and ``_se`` over seeds."""


def to_released(deltas: pl.DataFrame, *, by_seed: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rename the columns of deltas to the released names.

    Parameters
    ----------
    deltas : DataFrame
        DELTAS or DELTAS_BY_SEED.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED: fills the ``_std`` (over train seeds, ddof 1) and ``_se`` columns; one seed leaves them empty.

    Returns
    -------
    DataFrame
        The released columns first, then those that the release does not have. A source that is no plain cell has an
        empty regime.
    """
    frame = deltas if by_seed is None else deltas.join(_spreads(by_seed), on=_key(deltas), how="left", nulls_equal=True)
    ordered = [name for stem in _released_order() for name in (stem,) if name in frame.rename(_names(frame)).columns]
    renamed = frame.rename(_names(frame))
    return renamed.select(*ordered, *(name for name in renamed.columns if name not in ordered))


def _names(frame: pl.DataFrame) -> dict[str, str]:
    return {ours: theirs for ours, theirs in RELEASED_NAMES.items() if ours in frame.columns}


def _key(deltas: pl.DataFrame) -> list[str]:
    return [name for name in DELTAS.key if name in deltas.columns]


def _spreads(by_seed: pl.DataFrame) -> pl.DataFrame:
    stems = {ours: stem for ours, stem in SPREADS.items() if ours in by_seed.columns}
    std = [pl.col(ours).std().alias(f"{stem}_std") for ours, stem in stems.items()]
    se = [(pl.col(ours).std() / pl.len().sqrt()).alias(f"{stem}_se") for ours, stem in stems.items()]
    return by_seed.group_by(_key(by_seed), maintain_order=True).agg(*std, *se)


def _released_order() -> list[str]:
    first = ["model_name", "model_size", "fine_tuned_dataset", "fine_tuned_language", "eval_dataset", "eval_language"]
    spread = [f"{stem}_{kind}" for stem in SPREADS.values() for kind in ("mean", "std", "se")]
    return [*first, "regime", *spread, "n_seeds", "train_seed"]


def from_released(frame: pl.DataFrame) -> pl.DataFrame:
    """Renames the released table's columns to ours; all other columns stay as they are.

    Raises InputError if a column is there under both names.
    """
    back = {theirs: ours for ours, theirs in RELEASED_NAMES.items() if theirs in frame.columns}
    for theirs, ours in back.items():
        if ours != theirs and ours in frame.columns:
            raise InputError(f"columns '{theirs}' and '{ours}' are two names of the same column; keep one")
    return frame.rename(back)


def declared_columns() -> frozenset[str]:
    """Every column name that a table of deltas may have, in our words."""
    return frozenset(DELTAS.columns) | frozenset(DELTAS_BY_SEED.columns)
