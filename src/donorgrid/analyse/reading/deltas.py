"""From paired item answers to deltas: integer counts, exact differences, paired standard errors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.reading.answers import AnsweredRun, PairedAnswers
from donorgrid.core.arrays import Ints, Reals
from donorgrid.core.errors import InputError
from donorgrid.core.records import METRICS, Metric
from donorgrid.core.regimes import regime
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.statistics.errors.clusters import delta_se_pp


@dataclass(frozen=True)
class _Counts:
    """Right answers of one metric over paired items, (rows, targets): of the runs, of the baseline, and the se (pp)."""

    n_items: Ints
    n_right: Ints
    n_right_base: Ints
    se_pp: Reals


def deltas_by_seed(answers: PairedAnswers, *, metric: Metric) -> pl.DataFrame:
    """The deltas of every run on every target.

    With d_i in {-1, 0, 1} the difference of item i, ``se_pp`` = 100 sqrt(sum (d_i - mean)^2 / (n (n - 1))).

    Parameters
    ----------
    answers : PairedAnswers
        The answers of one model.
    metric : {"acc", "acc_norm"}
        The metric of ``delta_pp`` and ``se_pp``.

    Returns
    -------
    DataFrame
        DELTAS_BY_SEED, one row per (run, target) that has paired items.
    """
    groups = [np.array([row]) for row in range(len(answers.runs))]
    frame = _deltas(answers, groups, metric).with_columns(pl.Series("train_seed", _seeds(answers, groups)))
    return DELTAS_BY_SEED.check(frame.filter(pl.col("n_items") > 0))


def deltas(answers: PairedAnswers, *, metric: Metric) -> pl.DataFrame:
    """The deltas with train seeds pooled: counts are summed.

    ``se_pp`` clusters on item ID over the seeds: with u_i the sum of item i's centred differences over N answers,
    ``se_pp`` = 100 sqrt(n / (n - 1) sum u_i^2) / N. ``se_seed_pp`` is the standard deviation of the seeds' deltas over
    sqrt(n_seeds), null for one seed.

    Parameters
    ----------
    answers : PairedAnswers
        The answers of one model.
    metric : {"acc", "acc_norm"}
        The metric of ``delta_pp`` and ``se_pp``.

    Returns
    -------
    DataFrame
        DELTAS, one row per (recipe, source, data seed, size, checkpoint, strength, target).
    """
    members: dict[object, list[int]] = {}
    for row, run in enumerate(answers.runs):
        adapter = (run.recipe, run.source, run.data_seed, run.train_size, run.checkpoint, run.strength)
        members.setdefault(adapter, []).append(row)
    groups = [np.array(rows) for rows in members.values()]
    frame = _deltas(answers, groups, metric)
    seeds = _seed_spread(deltas_by_seed(answers, metric=metric))
    key = [name for name in DELTAS.key if name in seeds.columns]
    joined = frame.filter(pl.col("n_items") > 0).join(
        seeds, on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    return DELTAS.check(joined)


def _seed_spread(by_seed: pl.DataFrame) -> pl.DataFrame:
    spread = pl.col("delta_pp").std() / pl.len().sqrt()
    return by_seed.group_by(DELTAS.key, maintain_order=True).agg(se_seed_pp=spread, n_seeds=pl.len())


def _deltas(answers: PairedAnswers, groups: list[npt.NDArray[np.intp]], metric: Metric) -> pl.DataFrame:
    if metric not in METRICS:
        raise InputError(f"metric '{metric}': expected one of {METRICS}")
    starts = answers.targets["start"].to_numpy()
    acc = _count(answers.right, answers.base, groups, starts)
    norm = _count(answers.right_norm, answers.base_norm, groups, starts)
    chosen = acc if metric == "acc" else norm
    extra = np.stack([answers.extra[rows].sum(axis=0) for rows in groups])
    norm_is_acc = np.logical_and.reduceat(answers.norm_is_acc, starts)
    named = np.where(norm_is_acc, "acc", metric)
    return _labels(answers, groups).with_columns(
        pl.Series("n_items", acc.n_items.ravel()),
        pl.Series("n_right", acc.n_right.ravel()),
        pl.Series("n_right_base", acc.n_right_base.ravel()),
        pl.Series("n_right_norm", norm.n_right.ravel()),
        pl.Series("n_right_norm_base", norm.n_right_base.ravel()),
        pl.Series("n_unpaired", (_unpaired(answers, groups, starts) + extra).ravel()),
        pl.Series("score", _share(acc.n_right, acc.n_items)),
        pl.Series("score_base", _share(acc.n_right_base, acc.n_items)),
        pl.Series("score_norm", _share(norm.n_right, norm.n_items)),
        pl.Series("score_norm_base", _share(norm.n_right_base, norm.n_items)),
        pl.Series("delta_acc_pp", _share(100 * (acc.n_right - acc.n_right_base), acc.n_items)),
        pl.Series("delta_acc_norm_pp", _share(100 * (norm.n_right - norm.n_right_base), norm.n_items)),
        pl.Series("metric", np.tile(named, len(groups))),
        pl.Series("delta_pp", _share(100 * (chosen.n_right - chosen.n_right_base), chosen.n_items)),
        pl.Series("se_pp", chosen.se_pp.ravel(), nan_to_null=True),
    )


def _count(
    right: npt.NDArray[np.int8], base: npt.NDArray[np.int8], groups: list[npt.NDArray[np.intp]], starts: Ints
) -> _Counts:
    parts = [_count_group(right[rows], base, starts) for rows in groups]
    return _Counts(*(np.stack(column) for column in zip(*parts, strict=True)))


def _count_group(
    right: npt.NDArray[np.int8], base: npt.NDArray[np.int8], starts: Ints
) -> tuple[Ints, Ints, Ints, Reals]:
    paired = (right >= 0) & (base >= 0)
    per_item = paired.sum(axis=0, dtype=np.int64)
    right_per_item = np.where(paired, right, 0).sum(axis=0, dtype=np.int64)
    base_per_item = per_item * np.maximum(base, 0)
    n_items, n_right, n_right_base = (
        np.add.reduceat(part, starts) for part in (per_item, right_per_item, base_per_item)
    )
    se_pp = delta_se_pp(right_per_item - base_per_item, per_item, starts)
    return n_items, n_right, n_right_base, se_pp


def _unpaired(answers: PairedAnswers, groups: list[npt.NDArray[np.intp]], starts: Ints) -> Ints:
    """Items of the baseline that a run lacks in targets that it has, and the other way."""
    lonely = np.add.reduceat((answers.right >= 0) != (answers.base >= 0), starts, axis=1, dtype=np.int64)
    reached = np.add.reduceat(answers.right >= 0, starts, axis=1, dtype=np.int64) > 0
    per_run = np.where(reached, lonely, 0)
    return np.stack([per_run[rows].sum(axis=0) for rows in groups])


def _share(part: Ints, whole: Ints) -> Reals:
    """One correctly rounded division of integers; rows without items are dropped later."""
    return np.asarray(part / np.maximum(whole, 1), dtype=np.float64).ravel()


def _seeds(answers: PairedAnswers, groups: list[npt.NDArray[np.intp]]) -> Ints:
    n_targets = answers.targets.height
    return np.repeat(np.array([answers.runs[rows[0]].train_seed for rows in groups], dtype=np.int64), n_targets)


def _labels(answers: PairedAnswers, groups: list[npt.NDArray[np.intp]]) -> pl.DataFrame:
    """The source and target columns of every (group, target), group-major."""
    runs = pl.DataFrame([_run_row(answers.runs[rows[0]]) for rows in groups], schema=_RUN_SCHEMA)
    frame = runs.join(answers.targets.drop("start"), how="cross", maintain_order="left_right")
    named = regime(
        *(frame[name].to_numpy() for name in ("source_task", "source_language", "target_task", "target_language"))
    )
    plain = pl.col("source_kind") == "cell"
    return frame.with_columns(regime=pl.when(plain).then(pl.Series(named, dtype=pl.String)))


_RUN_COLUMNS = (
    "model",
    "family",
    "size_b",
    "recipe",
    "source_kind",
    "source_name",
    "control",
    "source_task",
    "source_language",
    "data_seed",
    "train_size",
    "checkpoint",
    "strength",
)
_RUN_SCHEMA = {name: DELTAS.columns[name] for name in _RUN_COLUMNS}


def _run_row(run: AnsweredRun) -> dict[str, object]:
    cells = run.source.cells
    only = cells[0] if len(cells) == 1 else None
    return {
        "model": run.model,
        "family": run.family,
        "size_b": run.size_b,
        "recipe": run.recipe,
        "source_kind": run.source.kind,
        "source_name": run.source.name,
        "control": run.source.control_name,
        "source_task": only.task if only else None,
        "source_language": only.language if only else None,
        "data_seed": run.data_seed,
        "train_size": run.train_size,
        "checkpoint": run.checkpoint,
        "strength": run.strength,
    }
