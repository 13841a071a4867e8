"""One model in one exam with one number of probes: every rule, every draw."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advice_exam.donorgrid_rule import DonorgridPredictor, DonorgridRule
from advice_exam.drawing import SHOWN_SHARE, NoiseGuess, draw_folds, draw_probes, only_rows, thin
from advice_exam.gains import chosen_for_all, chosen_for_each_target, random_choice
from advice_exam.held_out import HeldOut, Truth
from advice_exam.predictive import Predictive
from advice_exam.scores import FoldScore, score_fold

_LONGEST_STEP_PP = 0.5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many draws, how many probes of each task (0 for none), chosen how."""

    n_draws: int
    n_per_task: int
    probes: str
    guess: NoiseGuess


class Examinee:
    """All rules, fitted without the model that is held out."""

    def __init__(self, held: HeldOut, rules: Sequence[object]) -> None:
        self.held = held
        self.donorgrid: DonorgridPredictor = DonorgridRule().prepare(held)
        has_siblings = held.family in held.knowledge.families
        chosen = [rule for rule in rules if rule.name != "sibling" or has_siblings]
        self.predictors = {"donorgrid": self.donorgrid, **{rule.name: rule.prepare(held) for rule in chosen}}
        self.needing_probes = {rule.name for rule in rules if rule.needs_probes}
        self._without_probes: dict[str, Predictive] = {}

    def rules(self, n_per_task: int) -> list[str]:
        return [name for name in self.predictors if n_per_task or name not in self.needing_probes]

    def predict(
        self,
        rule: str,
        probes: Sequence[int],
        shown: np.ndarray,
        rows: np.ndarray,
        *,
        seed: int,
        noise_size: float = 1.0,
    ) -> Predictive:
        extra = {"noise_size": noise_size} if rule == "donorgrid" else {}
        if probes or rule == "random":
            return self.predictors[rule].predict(probes, shown, rows, seed=seed, **extra)
        if rule not in self._without_probes:
            everything = np.arange(len(shown))
            self._without_probes[rule] = self.predictors[rule].predict((), shown, everything, seed=0, **extra)
        return self._without_probes[rule].rows(rows)

    def choose(self, plan: Plan, allowed: np.ndarray, rng: np.random.Generator) -> list[int]:
        if not plan.n_per_task:
            return []
        if plan.probes == "own":
            return self.donorgrid.choose_probes(allowed, plan.n_per_task)
        return draw_probes(self.held.cells, allowed, plan.n_per_task, rng)


@dataclass(frozen=True, kw_only=True)
class Sat:
    """What one sitting gave: fold scores and gains by rule.

    Attributes
    ----------
    folds : dict of str to list of FoldScore
        Four for each draw.
    fold_rows : list of ndarray
        The sources of each of them.
    by_target : dict of str to list of ndarray
        What the chosen source of each target gave, one array per draw; oracles and ``random`` among the rules.
    for_all : dict of str to list of float
        What one source for all targets gave.
    """

    folds: dict[str, list[FoldScore]]
    fold_rows: list[np.ndarray]
    by_target: dict[str, list[np.ndarray]]
    for_all: dict[str, list[float]]


def sit(examinee: Examinee, truth: Truth, plan: Plan) -> Sat:
    """Examine all rules on the same folds, probes and replicates."""
    scores: dict[str, list[FoldScore]] = defaultdict(list)
    fold_rows: list[np.ndarray] = []
    by_target: dict[str, list[np.ndarray]] = defaultdict(list)
    for_all: dict[str, list[float]] = defaultdict(list)
    for draw in range(plan.n_draws):
        rng = np.random.default_rng([plan.n_per_task, draw])
        folds = draw_folds(examinee.held.cells, rng)
        fold_rows += folds
        for rule, values in _accuracy(examinee, truth, plan, folds, rng=rng, draw=draw).items():
            scores[rule] += values
        for rule, (targets, everything) in _gains(examinee, truth, plan, rng, draw).items():
            by_target[rule].append(targets)
            for_all[rule].append(everything)
    return Sat(folds=dict(scores), fold_rows=fold_rows, by_target=dict(by_target), for_all=dict(for_all))


def _accuracy(
    examinee: Examinee, truth: Truth, plan: Plan, folds: list[np.ndarray], *, rng: np.random.Generator, draw: int
) -> dict[str, list[FoldScore]]:
    """Each fold is predicted from probes of the other three."""
    transfer = examinee.held.is_transfer
    half_step = half_step_of(truth.delta_pp)
    scores: dict[str, list[FoldScore]] = defaultdict(list)
    for fold in folds:
        allowed = np.setdiff1d(np.concatenate(folds), fold)
        probes = examinee.choose(plan, allowed, rng)
        shown = only_rows(truth.delta_pp, probes)
        for rule in examinee.rules(plan.n_per_task):
            predictive = examinee.predict(rule, probes, shown, fold, seed=draw)
            scores[rule].append(score_fold(predictive, truth.delta_pp[fold], transfer[fold], half_step))
    return scores


def _gains(
    examinee: Examinee, truth: Truth, plan: Plan, rng: np.random.Generator, draw: int
) -> dict[str, tuple[np.ndarray, float]]:
    """Choices among all sources, probes included, valued on the hidden replicate."""
    transfer = examinee.held.is_transfer
    everything = np.arange(len(transfer))
    probes = examinee.choose(plan, everything, rng)
    replicate, hidden = thin(truth.delta_pp, truth.noise_variance, plan.guess, rng)
    shown = only_rows(replicate, probes)
    gains = {}
    for rule in examinee.rules(plan.n_per_task):
        predictive = examinee.predict(rule, probes, shown, everything, seed=draw, noise_size=1 / SHOWN_SHARE)
        point = predictive.point()
        gains[rule] = chosen_for_each_target(point, hidden, transfer), chosen_for_all(point, hidden, transfer)
    gains["random"] = random_choice(hidden, transfer)
    gains["own-cell"] = np.diag(hidden), float("nan")
    for name, choice, value in (
        ("oracle-full-grid", replicate, hidden),
        ("oracle-as-measured", truth.delta_pp, truth.delta_pp),
    ):
        gains[name] = chosen_for_each_target(choice, value, transfer), chosen_for_all(choice, value, transfer)
    return gains


def half_step_of(delta_pp: np.ndarray) -> float:
    """Half the smallest difference of two measured deltas; 0 where they are not on a lattice."""
    values = np.unique(np.round(delta_pp[np.isfinite(delta_pp)], 6))
    steps = np.diff(values)
    step = float(steps[steps > 1e-4].min()) if (steps > 1e-4).any() else 0.0
    return step / 2 if step < _LONGEST_STEP_PP else 0.0
