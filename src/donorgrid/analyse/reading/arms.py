"""The rows that the tables are made of: one arm at a time, draws pooled, harm decided exactly."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.records import UNTRAINED
from donorgrid.core.tables import DELTAS
from donorgrid.core.tables.counts import gained_items
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.harm import harmed, positive

SIZE_CLASSES = ("<=1.5B", "<7B", ">=7B")


class Arm(NamedTuple):
    """What is analysed together: one recipe at one training size, one checkpoint (or the end) and one strength."""

    recipe: str
    train_size: int | None
    checkpoint: float | None = None
    strength: float | None = None


def arms(deltas: pl.DataFrame) -> Iterator[tuple[Arm, pl.DataFrame]]:
    """The deltas of each arm, data seeds pooled into one row per (model, source, target).

    What is not trained (few-shot prompts) belongs to every arm; alone, it is one.
    """
    untrained = pl.col("recipe") == UNTRAINED
    trained = deltas.filter(~untrained)
    shown = pool_draws(deltas.filter(untrained)) if trained.height else deltas.clear()
    absent = {name: pl.lit(None, dtype=kind) for name, kind in ARM.items() if name not in deltas.columns}
    frame = (trained if trained.height else deltas).with_columns(**absent)
    for (recipe, train_size, checkpoint, strength), part in frame.group_by(*ARM, maintain_order=True):
        arm = Arm(
            recipe=str(recipe),
            train_size=None if train_size is None else int(str(train_size)),
            checkpoint=None if checkpoint is None else float(str(checkpoint)),
            strength=None if strength is None else float(str(strength)),
        )
        yield arm, pl.concat([pool_draws(part), shown], how="diagonal")


def pool_draws(deltas: pl.DataFrame) -> pl.DataFrame:
    """One row per (model, source, target): counts summed over data seeds, deltas averaged.

    The draws share their test items, so their standard errors are averaged, not divided by the root of their number:
    an upper bound.
    """
    key = ["model", "source_name", "target_task", "target_language"]
    if not deltas.select(key).is_duplicated().any():
        return deltas
    counts = [name for name in deltas.columns if name.startswith("n_")]
    reals = [name for name in deltas.columns if name.startswith(("score", "delta_", "se_"))]
    labels = [name for name in deltas.columns if name not in {*key, *counts, *reals, "data_seed"}]
    return deltas.group_by(key, maintain_order=True).agg(
        *(pl.col(name).first() for name in labels),
        *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in counts),
        *(pl.col(name).mean() for name in reals),
    )


def judged(deltas: pl.DataFrame, settings: AnalysisSettings, *, by_seed: pl.DataFrame | None = None) -> pl.DataFrame:
    """The deltas with ``harmed``, ``positive`` and ``size_class``.

    Counts decide where they are known (``statistics/harm.py``). With ``release_arithmetic`` raw floats are compared, as
    the release did.

    Parameters
    ----------
    deltas : DataFrame
        Rows of one arm.
    settings : AnalysisSettings
        ``harm_limit_pp`` and ``release_arithmetic``.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows, for ``release_arithmetic``.

    Returns
    -------
    DataFrame
    """
    if settings.release_arithmetic:
        raw = raw_deltas_pp(deltas, by_seed)
        is_harmed, is_positive = harmed(raw, settings.harm_limit_pp, tolerance_pp=0.0), positive(raw, tolerance_pp=0.0)
    else:
        delta_pp, (gained, n_items) = deltas["delta_pp"].to_numpy(), gained_items(deltas)
        is_harmed = harmed(delta_pp, settings.harm_limit_pp, gained=gained, n_items=n_items)
        is_positive = positive(delta_pp, gained=gained)
    size = pl.col("size_b") if "size_b" in deltas.columns else pl.lit(None, dtype=pl.Float64)
    return deltas.with_columns(
        pl.Series("harmed", is_harmed),
        pl.Series("positive", is_positive),
        size_class=pl.when(size <= 1.5).then(pl.lit(SIZE_CLASSES[0]))
        .when(size < 7).then(pl.lit(SIZE_CLASSES[1]))
        .when(size >= 7).then(pl.lit(SIZE_CLASSES[2])),
    )  # fmt: skip


def raw_deltas_pp(deltas: pl.DataFrame, by_seed: pl.DataFrame | None = None) -> npt.NDArray[np.float64]:
    """Deltas in plain float arithmetic: the mean over seeds of 100 (score - baseline), each step rounded.

    Parameters
    ----------
    deltas : DataFrame
        Rows of DELTAS; ``delta_raw_pp`` is used where there is no ``by_seed``, else the pooled scores.
    by_seed : DataFrame, optional
        Rows of DELTAS_BY_SEED.

    Returns
    -------
    ndarray
        Percentage points, shape ``(n_rows,)``.
    """
    stems = {"acc": ("score", "score_base"), "acc_norm": ("score_norm", "score_norm_base")}
    if by_seed is None and "delta_raw_pp" in deltas.columns:
        return deltas["delta_raw_pp"].to_numpy()
    frame = deltas if by_seed is None else by_seed
    usable = [metric for metric, names in stems.items() if set(names) <= set(frame.columns)]
    if not usable:
        return deltas["delta_pp"].to_numpy()
    floats = {
        metric: 100.0 * (frame[names[0]] - frame[names[1]]).to_numpy()
        for metric, names in stems.items()
        if metric in usable
    }
    named = frame["metric"].to_numpy() if "metric" in frame.columns else np.full(frame.height, usable[-1])
    raw = frame.with_columns(raw_pp=np.where(named == "acc", floats.get("acc", np.nan), floats.get("acc_norm", np.nan)))
    if by_seed is None:
        return raw["raw_pp"].to_numpy()
    key = [name for name in DELTAS.key if name in deltas.columns and name in raw.columns]
    seeds = raw.group_by(key, maintain_order=True).agg(pl.col("raw_pp"))
    means = seeds.with_columns(raw_pp=pl.Series([float(np.mean(values.to_numpy())) for values in seeds["raw_pp"]]))
    return deltas.join(means, on=key, how="left", nulls_equal=True, maintain_order="left")["raw_pp"].to_numpy()
