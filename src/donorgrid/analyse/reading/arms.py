"""The rows that the tables are made of: one arm at a time, draws pooled, harm decided exactly."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.records import UNTRAINED
from donorgrid.core.tables import DELTAS
from donorgrid.core.tables.declaring import ARM

ROUNDING_PP = 1e-9
"""Deltas without counts are compared with limits to within this: far above round-off, far below one item."""
SIZE_CLASSES = ("<=1.5B", "<7B", ">=7B")


class Arm(NamedTuple):
    """What is analysed together: one recipe at one training size, at the end of its training or at a checkpoint."""

    recipe: str
    train_size: int | None
    checkpoint: float | None = None


def arms(deltas: pl.DataFrame) -> Iterator[tuple[Arm, pl.DataFrame]]:
    """The deltas of each arm, data seeds pooled into one row per (model, source, target).

    What is not trained (few-shot prompts) belongs to every arm; alone, it is one.
    """
    untrained = pl.col("recipe") == UNTRAINED
    trained = deltas.filter(~untrained)
    shown = pool_draws(deltas.filter(untrained)) if trained.height else deltas.clear()
    absent = {name: pl.lit(None, dtype=kind) for name, kind in ARM.items() if name not in deltas.columns}
    frame = (trained if trained.height else deltas).with_columns(**absent)
    for (recipe, train_size, checkpoint), part in frame.group_by(*ARM, maintain_order=True):
        arm = Arm(
            recipe=str(recipe),
            train_size=None if train_size is None else int(str(train_size)),
            checkpoint=None if checkpoint is None else float(str(checkpoint)),
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
    """The deltas with ``harmed`` (delta <= -limit), ``positive`` (delta > 0) and ``size_class``.

    With counts the comparison is in integers: 100 (right - base) q <= -p n for a limit p/q. Without, deltas are
    compared to within ``ROUNDING_PP``. With ``release_arithmetic`` raw floats are compared, as the release did.
    """
    if settings.release_arithmetic:
        raw = raw_deltas_pp(deltas, by_seed)
        harmed, positive = raw <= -settings.harm_limit_pp, raw > 0
    else:
        harmed, positive = _exact_flags(deltas, settings)
    size = pl.col("size_b") if "size_b" in deltas.columns else pl.lit(None, dtype=pl.Float64)
    return deltas.with_columns(
        pl.Series("harmed", harmed),
        pl.Series("positive", positive),
        size_class=pl.when(size <= 1.5).then(pl.lit(SIZE_CLASSES[0]))
        .when(size < 7).then(pl.lit(SIZE_CLASSES[1]))
        .when(size >= 7).then(pl.lit(SIZE_CLASSES[2])),
    )  # fmt: skip


def gained_items(deltas: pl.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(k, n) per row: items gained of n, by the row's metric; NaN where a row has no counts. Exact below 2**53."""
    columns = {"acc": ("n_right", "n_right_base"), "acc_norm": ("n_right_norm", "n_right_norm_base")}
    empty = pl.lit(None, dtype=pl.Int64)

    def gained(metric: str) -> pl.Expr:
        right, base = columns[metric]
        return pl.col(right) - pl.col(base) if {right, base} <= set(deltas.columns) else empty

    metric = pl.col("metric") if "metric" in deltas.columns else pl.lit("acc_norm")
    n_items = pl.col("n_items") if "n_items" in deltas.columns else empty
    k = pl.when(metric == "acc").then(pl.coalesce(gained("acc"), gained("acc_norm"))).otherwise(gained("acc_norm"))
    counts = deltas.select(k=k.cast(pl.Float64), n=n_items.cast(pl.Float64))
    known = counts.select(both=pl.all_horizontal(pl.all().is_not_null()))["both"].to_numpy()
    return tuple(np.where(known, counts[name].fill_null(0).to_numpy(), np.nan) for name in ("k", "n"))  # type: ignore[return-value]


def _exact_flags(
    deltas: pl.DataFrame, settings: AnalysisSettings
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    k, n = gained_items(deltas)
    limit = settings.exact_limit_pp
    delta_pp = deltas["delta_pp"].to_numpy()
    known = np.isfinite(k)
    by_count = 100 * k * limit.denominator <= -limit.numerator * n
    harmed = np.where(known, by_count, delta_pp <= -float(limit) + ROUNDING_PP)
    return harmed, np.where(known, k > 0, delta_pp > ROUNDING_PP)


def raw_deltas_pp(deltas: pl.DataFrame, by_seed: pl.DataFrame | None = None) -> npt.NDArray[np.float64]:
    """Deltas in plain float arithmetic: the mean over seeds of 100 (score - baseline), each step rounded.

    From ``by_seed`` where it is given, else the raw column of the table that was read, else from the pooled scores.
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
