"""The noise of measured cells, and the sizes of a measurement, as arrays over options and targets."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand
from donorgrid.pipeline.advise.judged_arms import JudgedArm
from donorgrid.statistics.paired import assumed_se_pp

USUAL_ITEMS, USUAL_TEXTS, USUAL_EPOCHS = 400, 300, 3
"""What a measurement has where no study says it: the sizes of the released grid."""
_USUAL_FLIP_RATE = 0.04
_READINGS_PER_EPOCH = 3.0
"""A text that is trained on costs about three that are read: forward, and twice as much backward."""


@dataclass(frozen=True, kw_only=True)
class MeasuringCosts:
    """Sizes of a measurement, from the study where there is one.

    Attributes
    ----------
    n_items : int
        Test items of a target.
    n_texts, n_epochs : int
        Of a training.
    """

    n_items: int = USUAL_ITEMS
    n_texts: int = USUAL_TEXTS
    n_epochs: int = USUAL_EPOCHS

    def scoring(self, n_targets: int) -> float:
        """The cost of scoring an adapter on so many targets, in fine-tunes that are scored on as many."""
        reading = float(self.n_items * n_targets)
        return reading / (reading + _READINGS_PER_EPOCH * self.n_epochs * self.n_texts)


def measuring_costs(arm: JudgedArm, evidence: EvidenceAtHand) -> MeasuringCosts:
    """The sizes of a measurement.

    Parameters
    ----------
    arm : JudgedArm
        Its cells say the items.
    evidence : EvidenceAtHand
        A study's plan says texts and epochs.

    Returns
    -------
    MeasuringCosts
    """
    n_items = USUAL_ITEMS
    if arm.cells is not None and "n_items" in arm.cells.columns:
        per_seed = arm.cells.select(pl.col("n_items") / pl.col("n_seeds").fill_null(1).clip(1)).to_series().drop_nulls()
        n_items = USUAL_ITEMS if per_seed.is_empty() else max(int(float(str(per_seed.median()))), 1)
    runs = [run for study in evidence.studies if study.plan is not None for run in study.plan.grid.runs]
    limits = [study.plan.study.limits.train_items for study in evidence.studies if study.plan is not None]
    sizes = [size for size in (*(run.train_size for run in runs), *limits) if size is not None]
    return MeasuringCosts(
        n_items=n_items,
        n_texts=min(sizes) if sizes else USUAL_TEXTS,
        n_epochs=runs[0].recipe.epochs if runs else USUAL_EPOCHS,
    )


@dataclass(frozen=True, kw_only=True)
class CellNoise:
    """Measured deltas of an arm and their noise.

    Attributes
    ----------
    trained : set of str
        Options that have measured cells.
    delta_pp, item_variance, run_variance : ndarray
        Deltas, and the variances from items and from runs in squared pp, shape ``(n_options, n_targets)``; NaN where
        nothing was measured or the variance is not known.
    typical_sd_pp : ndarray
        Noise of a new measurement, shape ``(n_targets,)``.
    """

    trained: set[str]
    delta_pp: Reals
    item_variance: Reals
    run_variance: Reals
    typical_sd_pp: Reals

    @property
    def is_measured(self) -> np.ndarray:
        """True where a delta is known."""
        return np.isfinite(self.delta_pp)

    @classmethod
    def of(cls, arm: JudgedArm, wish: Wish, costs: MeasuringCosts) -> "CellNoise":
        """The noise of an arm's cells.

        Parameters
        ----------
        arm : JudgedArm
            Its options and cells.
        wish : Wish
            The targets.
        costs : MeasuringCosts
            Items of a measurement, for the noise where nothing was measured.

        Returns
        -------
        CellNoise
        """
        shape = (len(arm.options), len(wish.targets))
        delta, items, runs, total = (np.full(shape, np.nan) for _ in range(4))
        rows = {option.name: index for index, option in enumerate(arm.options)}
        columns = {target: index for index, target in enumerate(wish.targets)}
        for row in [] if arm.cells is None else arm.cells.iter_rows(named=True):
            at = rows.get(row["source_name"]), columns.get(_target(row))
            if at[0] is None or at[1] is None:
                continue
            delta[at], total[at] = row["delta_pp"], np.nan if row["noise_se_pp"] is None else row["noise_se_pp"] ** 2
            if row.get("se_pp") is not None:
                items[at], runs[at] = row["se_pp"] ** 2, row.get("run_variance") or 0.0
        usual = float(np.nanmean(total)) if np.isfinite(total).any() else _usual_variance(costs)
        known = np.isfinite(total)
        by_target = np.where(known, total, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return cls(
            trained=set() if arm.cells is None else set(arm.cells["source_name"].to_list()),
            delta_pp=delta,
            item_variance=items,
            run_variance=runs,
            typical_sd_pp=np.sqrt(np.where(known.any(axis=0), by_target, usual)),
        )


def _usual_variance(costs: MeasuringCosts) -> float:
    return float(assumed_se_pp(_USUAL_FLIP_RATE, np.array([float(costs.n_items)]))[0]) ** 2


def _target(row: dict[str, object]) -> Cell:
    return Cell(task=str(row["target_task"]), language=str(row["target_language"]))
