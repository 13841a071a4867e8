"""Simple rules: a point for every cell, with the spread that the rule leaves among the knowledge models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from advice_exam.held_out import HeldOut
from advice_exam.predictive import Predictive, standard_log_density

_DEGREES = (2.5, 4.0, 8.0, 30.0)
_LEAST_SD = 0.05
_TIE_BREAK_PP = 1e-7


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Deltas of knowledge models, and what is known of the model in question.

    Attributes
    ----------
    deltas : ndarray
        Shape ``(n_models, n_cells, n_cells)``.
    related : ndarray of bool
        Models of the same family, shape ``(n_models,)``.
    shown : ndarray
        Deltas of the probes, NaN elsewhere.
    probes : sequence of int
        Their sources.
    tasks, languages : ndarray
        Numbers of the cells' tasks and languages.
    seed : int
        For random choices.
    """

    deltas: np.ndarray
    related: np.ndarray
    shown: np.ndarray
    probes: Sequence[int]
    tasks: np.ndarray
    languages: np.ndarray
    seed: int

    @property
    def is_transfer(self) -> np.ndarray:
        return ~np.eye(len(self.tasks), dtype=bool)


def random_source(tables: Tables) -> np.ndarray:
    ties = np.random.default_rng(tables.seed).standard_normal(tables.shown.shape)
    return tables.deltas[:, tables.is_transfer].mean() + _TIE_BREAK_PP * ties


def matched_task(tables: Tables) -> np.ndarray:
    """The same task, then the same language: 2, 1 or 0, on the line that fits the knowledge best."""
    same_task = tables.tasks[:, None] == tables.tasks
    same_language = tables.languages[:, None] == tables.languages
    rank = np.where(same_task, 2.0 + same_language, 1.0 * same_language)
    mean = tables.deltas.mean(axis=0)[tables.is_transfer]
    score = rank[tables.is_transfer]
    slope = max(float(np.cov(score, mean)[0, 1] / score.var(ddof=1)), _TIE_BREAK_PP)
    return mean.mean() + slope * (rank - score.mean())


def others_mean(tables: Tables) -> np.ndarray:
    return tables.deltas.mean(axis=0)


def siblings(tables: Tables) -> np.ndarray:
    return tables.deltas[tables.related].mean(axis=0) if tables.related.any() else others_mean(tables)


def probes_mean(tables: Tables) -> np.ndarray:
    """The mean of the probes of the source's task."""
    points = np.empty_like(tables.shown)
    for task in np.unique(tables.tasks):
        probes = [probe for probe in tables.probes if tables.tasks[probe] == task]
        points[tables.tasks == task] = tables.shown[probes].mean(axis=0)
    return points


def probes_and_others(tables: Tables) -> np.ndarray:
    """The same, plus how the others' mean departs from its mean over the sources of the task."""
    others = others_mean(tables)
    points = probes_mean(tables)
    for task in np.unique(tables.tasks):
        members = tables.tasks == task
        points[members] += others[members] - others[members].mean(axis=0)
    return points


@dataclass(frozen=True, kw_only=True)
class SimpleRule:
    """A rule by its point; ``by_target``: its spread is told for each target, else one for all."""

    name: str
    points: Callable[[Tables], np.ndarray]
    needs_probes: bool = False
    by_target: bool = True

    def prepare(self, held: HeldOut) -> "SimplePredictor":
        return SimplePredictor(rule=self, held=held)


SIMPLE_RULES = (
    SimpleRule(name="random", points=random_source, by_target=False),
    SimpleRule(name="matched-task", points=matched_task),
    SimpleRule(name="others-mean", points=others_mean),
    SimpleRule(name="sibling", points=siblings),
    SimpleRule(name="probes-mean", points=probes_mean, needs_probes=True),
    SimpleRule(name="probes+others", points=probes_and_others, needs_probes=True),
)


class SimplePredictor:
    """A simple rule for one held-out model; what does not depend on the probes is computed once."""

    def __init__(self, *, rule: SimpleRule, held: HeldOut) -> None:
        self.rule, self.held = rule, held
        self._tasks, self._languages = (
            np.unique([getattr(cell, name) for cell in held.cells], return_inverse=True)[1]
            for name in ("task", "language")
        )
        self._kept: Predictive | None = None
        self._degrees: dict[int, float] = {}

    def predict(self, probes: Sequence[int], shown: np.ndarray, rows: np.ndarray, *, seed: int) -> Predictive:
        if self.rule.needs_probes or self.rule.name == "random":
            return self._predict(probes, shown, seed).rows(rows)
        if self._kept is None:
            self._kept = self._predict((), shown, seed)
        return self._kept.rows(rows)

    def _predict(self, probes: Sequence[int], shown: np.ndarray, seed: int) -> Predictive:
        knowledge = self.held.knowledge
        families = np.array(knowledge.families)
        points = self.rule.points(self._tables(knowledge.delta_pp, families == self.held.family, probes, shown, seed))
        rest = self._left_out(probes, seed)
        sd = np.sqrt(np.nanmean(rest**2, axis=(0, 1) if self.rule.by_target else None))
        sd = np.maximum(np.broadcast_to(sd, points.shape[1:]), _LEAST_SD)
        if len(probes) not in self._degrees:
            self._degrees[len(probes)] = _best_degrees(rest, sd)
        degrees = self._degrees[len(probes)]
        scale = np.broadcast_to(sd * np.sqrt((degrees - 2) / degrees), points.shape)
        return Predictive(mean=points[None], sd=scale[None], degrees=degrees)

    def _left_out(self, probes: Sequence[int], seed: int) -> np.ndarray:
        """What the rule misses of each knowledge model, predicted from the others with the same probes."""
        knowledge = self.held.knowledge
        families = np.array(knowledge.families)
        rest = np.empty_like(knowledge.delta_pp)
        for index, deltas in enumerate(knowledge.delta_pp):
            others = np.arange(len(families)) != index
            related = families[others] == families[index]
            tables = self._tables(knowledge.delta_pp[others], related, probes, deltas, seed)
            rest[index] = np.where(tables.is_transfer, deltas - self.rule.points(tables), np.nan)
        rest[:, list(probes)] = np.nan
        return rest

    def _tables(
        self, deltas: np.ndarray, related: np.ndarray, probes: Sequence[int], shown: np.ndarray, seed: int
    ) -> Tables:
        return Tables(
            deltas=deltas,
            related=related,
            shown=shown,
            probes=probes,
            tasks=self._tasks,
            languages=self._languages,
            seed=seed,
        )


def _best_degrees(rest: np.ndarray, sd: np.ndarray) -> float:
    """Degrees of freedom of the t distribution of that SD with the largest likelihood."""

    def log_likelihood(degrees: float) -> float:
        scale = sd * np.sqrt((degrees - 2) / degrees)
        return float(np.nansum(standard_log_density(rest / scale, degrees) - np.log(scale)))

    return max(_DEGREES, key=log_likelihood)
