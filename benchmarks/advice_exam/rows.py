"""One row for each rule of a sitting, with what the page shows besides."""

from collections.abc import Mapping, Sequence

import numpy as np

from advice_exam.gains import share_of_best
from advice_exam.held_out import HeldOut, Truth
from advice_exam.scores import LIMIT_PP, FoldScore, brier, calibration_error
from advice_exam.sitting import Plan, Sat
from donorgrid.core.regimes import regime
from donorgrid.statistics.harm import harmed

K_NAMES = {0: "0", 1: "1/task", 2: "2/task"}
REGIMES = {"coverage90_mt_cl": "MT-CL", "coverage90_ct_ml": "CT-ML", "coverage90_ct_cl": "CT-CL"}
HONEST_ORACLE = "oracle-full-grid"
Row = dict[str, object]


def rows_of(held: HeldOut, truth: Truth, plan: Plan, sat: Sat) -> list[Row]:
    """The rows of a sitting; ``more`` holds what is not among the published columns.

    Parameters
    ----------
    held, truth : HeldOut, Truth
        Who sat, and what was measured.
    plan : Plan
        Draws and probes.
    sat : Sat
        What the rules did.

    Returns
    -------
    list of dict
        One for each rule that scored or chose.
    """
    names = list(dict.fromkeys([*sat.folds, *sat.by_target]))
    return [_row(name, held, truth, plan, sat) for name in names]


def within_ceiling(held: HeldOut, truth: Truth, common: float) -> float:
    """The mean over targets of the root of reliability: a perfect rule's correlation with one noisy measurement."""
    cells = np.where(held.is_transfer, truth.delta_pp, np.nan)
    total = np.nanvar(cells, axis=0, ddof=1)
    noise = (1 - common) * truth.noise_variance.mean(axis=0)
    return float(np.sqrt(np.clip(1 - noise / np.maximum(total, 1e-9), 0.0, 1.0)).mean())


def base_rate(held: HeldOut, truth: Truth) -> dict[str, float]:
    """Brier score and calibration error of the others' share of harmed sources, target by target."""
    harmful = np.where(held.is_transfer, harmed(held.knowledge.delta_pp, LIMIT_PP), np.nan)
    rate = np.broadcast_to(np.nanmean(harmful, axis=(0, 1)), truth.delta_pp.shape)[held.is_transfer]
    outcome = harmed(truth.delta_pp, LIMIT_PP)[held.is_transfer]
    return {"brier": brier(rate, outcome), "ece": calibration_error(rate, outcome)}


def _row(name: str, held: HeldOut, truth: Truth, plan: Plan, sat: Sat) -> Row:
    row: Row = {
        "model": held.model,
        "exam": held.exam,
        "k": K_NAMES[plan.n_per_task],
        "probes": plan.probes,
        "rule": name,
        "within_ceiling": within_ceiling(held, truth, plan.guess.common),
        "n_draws": plan.n_draws,
    }
    more: dict[str, object] = {}
    if name in sat.folds:
        accuracy, more = _accuracy(sat.folds[name], held, sat.fold_rows)
        row |= accuracy
    gains = [float(values.mean()) for values in sat.by_target[name]]
    for_all = [value for value in sat.for_all[name] if np.isfinite(value)]
    means = {rule: [float(values.mean()) for values in sat.by_target[rule]] for rule in ("random", HONEST_ORACLE)}
    row["best_per_target_pp"] = float(np.mean(gains))
    row["one_for_all_pp"] = float(np.mean(for_all)) if for_all else None
    row["share_of_best"] = share_of_best(gains, means["random"], means[HONEST_ORACLE])
    if name.startswith("oracle"):
        row["oracle"] = True
    by_target = np.mean(sat.by_target[name], axis=0)
    tasks = np.array([cell.task for cell in held.cells])
    more["by_task"] = {task: float(by_target[tasks == task].mean()) for task in held.knowledge.tasks}
    return _complete(row) | {"more": more}


def _accuracy(scores: Sequence[FoldScore], held: HeldOut, folds: Sequence[np.ndarray]) -> tuple[Row, Row]:
    columns = ("within", "overall", "log_score", "interval_score90")
    row: Row = {name: float(np.mean([getattr(score, name) for score in scores])) for name in columns}
    inside = np.concatenate([score.inside for score in scores])
    regimes = _regimes(held)[np.concatenate(list(folds))]
    row["coverage90"] = float(np.nanmean(inside))
    row |= {column: float(np.nanmean(inside[regimes == name])) for column, name in REGIMES.items()}
    probability = np.concatenate([score.harm_probability for score in scores])
    outcome = np.concatenate([score.harmed for score in scores])
    row |= {"brier": brier(probability, outcome), "ece": calibration_error(probability, outcome)}
    more: Row = {name: float(np.mean([getattr(score, name) for score in scores])) for name in ("between", "width90")}
    return row, more


def _regimes(held: HeldOut) -> np.ndarray:
    return np.array(
        [
            [str(regime(source.task, source.language, target.task, target.language)) for target in held.cells]
            for source in held.cells
        ]
    )


_COLUMNS = (
    *("model", "exam", "k", "probes", "rule", "within", "within_ceiling", "overall", "log_score", "interval_score90"),
    *("coverage90", *REGIMES, "brier", "ece", "n_draws", "best_per_target_pp", "one_for_all_pp", "share_of_best"),
)


def _complete(row: Mapping[str, object]) -> Row:
    """The published columns in their order; null where a rule has none."""
    kept = {column: row.get(column) for column in _COLUMNS}
    return kept | ({"oracle": True} if row.get("oracle") else {})
