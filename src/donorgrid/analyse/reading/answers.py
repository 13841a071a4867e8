"""Item answers of one model, paired with its baseline by item ID and kept as small integers.

A grid of 1,188 runs over 17,600 items is 21 million answers; as one byte each they fit in memory whole, and every
count, standard error and resampling reads them from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.core.arrays import Bytes
from donorgrid.core.errors import InputError
from donorgrid.core.records import Source

ITEM_KEY = ("target_task", "target_language", "item_id")
ANSWER_COLUMNS = (*ITEM_KEY, "answer", "chosen", "correct", "chosen_norm", "correct_norm")
"""The columns of an item-answer file that the analysis needs; ``choice_lengths``, where present, counts the options."""

MISSING = np.int8(-1)


@dataclass(frozen=True, kw_only=True)
class AnsweredRun:
    """Whose answers a frame holds: a run with what is known of its model. ``size_b`` is in billions of parameters.

    A few-shot subject is called ``core.records.UNTRAINED`` for its recipe; its train seed is the one of its draw.
    """

    model: str
    recipe: str
    source: Source
    train_seed: int
    data_seed: int = 0
    train_size: int | None = None
    checkpoint: float | None = None
    strength: float | None = None
    family: str | None = None
    size_b: float | None = None


@dataclass(frozen=True, kw_only=True)
class PairedAnswers:
    """The baseline and all runs of one model over the same items.

    ``items``: frame (n_items) of target_task, target_language, item_id, answer, chosen and chosen_norm (the
    baseline's), n_choices, sorted by target and ID. ``base`` (n_items) and ``right`` (n_runs, n_items) hold 1 right,
    0 wrong, -1 not answered, for acc; ``base_norm`` and ``right_norm`` the same for acc_norm, which is acc where a task
    has no acc_norm (``norm_is_acc``, n_items). ``extra`` (n_runs, n_targets): answers of a run that the baseline lacks,
    in the order of ``targets``.
    """

    model: str
    items: pl.DataFrame
    runs: tuple[AnsweredRun, ...]
    base: Bytes
    base_norm: Bytes
    right: Bytes
    right_norm: Bytes
    norm_is_acc: npt.NDArray[np.bool_]
    extra: npt.NDArray[np.int64]

    @property
    def targets(self) -> pl.DataFrame:
        """Frame of target_task, target_language, start: where each target's items begin."""
        return self.items.with_row_index("start").group_by(ITEM_KEY[:2], maintain_order=True).agg(pl.col("start").min())


def pair_answers(baseline: pl.DataFrame, runs: Iterable[tuple[AnsweredRun, pl.DataFrame]]) -> PairedAnswers:
    """Pair the answers of one model's runs with its baseline's, item by item.

    A target that a run lacks altogether is a hole; an item that only one side answered is counted as unpaired.

    Parameters
    ----------
    baseline : DataFrame
        Item answers of the base model, with ``ANSWER_COLUMNS``; further columns are ignored.
    runs : iterable of (AnsweredRun, DataFrame)
        Runs with their item answers. May be a generator: one frame is held at a time.

    Returns
    -------
    PairedAnswers

    Raises
    ------
    InputError
        When no run is given, models differ, IDs repeat, or an item's gold answer differs.
    """
    items = _sorted_items(baseline)
    index = items.select(*ITEM_KEY, "answer").with_row_index("row")
    targets = items.select(ITEM_KEY[:2]).unique(maintain_order=True).with_row_index("target")
    labels, right, right_norm, extra = [], [], [], []
    for label, frame in runs:
        placed = _place(frame, index, str(label.source))
        right.append(_scatter(placed, "correct", items.height))
        right_norm.append(_scatter(placed, "correct_norm", items.height))
        extra.append(_extra_per_target(placed, targets))
        labels.append(label)
    models = sorted({label.model for label in labels})
    if len(models) != 1:
        raise InputError(f"item answers: found runs of the models {models}; exactly one model is paired at a time")
    return PairedAnswers(
        model=models[0],
        items=items.drop("correct", "correct_norm"),
        runs=tuple(labels),
        base=_as_bytes(items["correct"]),
        base_norm=_as_bytes(items["correct_norm"].fill_null(items["correct"])),
        right=np.stack(right),
        right_norm=np.stack(right_norm),
        norm_is_acc=items["correct_norm"].is_null().to_numpy(),
        extra=np.stack(extra),
    )


def _sorted_items(baseline: pl.DataFrame) -> pl.DataFrame:
    # Without the list of options, the largest index that occurs says how many there are at least.
    at_least = pl.max_horizontal("answer", "chosen").max().over("target_task") + 1
    counted = pl.col("choice_lengths").list.len() if "choice_lengths" in baseline.columns else at_least
    known = pl.when(counted > 0).then(counted.cast(pl.Int64))  # an answer that was written has no options
    items = baseline.select(*ANSWER_COLUMNS, n_choices=known).sort(ITEM_KEY)
    double = items.select(ITEM_KEY).is_duplicated()
    if double.any():
        raise InputError(f"baseline answers: item {items.select(ITEM_KEY).filter(double).row(0)} appears twice")
    return items


def _place(frame: pl.DataFrame, index: pl.DataFrame, source: str) -> pl.DataFrame:
    placed = frame.select(*ITEM_KEY, "answer", "correct", pl.col("correct_norm").fill_null(pl.col("correct"))).join(
        index, on=ITEM_KEY, how="left", suffix="_base"
    )
    other = placed.filter(pl.col("answer") != pl.col("answer_base"))
    if other.height:
        item = "/".join(str(other[name][0]) for name in ITEM_KEY)
        raise InputError(
            f"answers of '{source}': item {item} has gold answer {other['answer'][0]}, "
            f"the baseline's has {other['answer_base'][0]}; both must have answered the same items"
        )
    if placed["row"].drop_nulls().is_duplicated().any():
        raise InputError(f"answers of '{source}': an item ID appears twice within one target")
    return placed


def _as_bytes(right: pl.Series) -> Bytes:
    return right.cast(pl.Int8).fill_null(MISSING).to_numpy()


def _scatter(placed: pl.DataFrame, column: str, n_items: int) -> Bytes:
    known = placed.filter(pl.col("row").is_not_null())
    scattered = np.full(n_items, MISSING, dtype=np.int8)
    scattered[known["row"].to_numpy()] = _as_bytes(known[column])
    return scattered


def _extra_per_target(placed: pl.DataFrame, targets: pl.DataFrame) -> npt.NDArray[np.int64]:
    counts = np.zeros(targets.height, dtype=np.int64)
    alone = placed.filter(pl.col("row").is_null()).join(targets, on=ITEM_KEY[:2], how="inner")
    np.add.at(counts, alone["target"].to_numpy(), 1)
    return counts
