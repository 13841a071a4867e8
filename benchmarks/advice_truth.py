"""Advice on grids whose truth is known: intervals of true deltas, probabilities of harm, and choices under guards.

    OMP_NUM_THREADS=1 python benchmarks/advice_truth.py [--grids 20] [--kind NAME ...] [--json FILE]

A grid has 3 tasks in 4 languages and 5 models: four are knowledge, the fifth is advised from nothing or from one
adapter of each task. Effects are drawn from the model itself ("gaussian"), from Student t distributions with 4 degrees
of freedom ("heavy"), or with scales of targets a factor of 8 apart ("uneven"). Guards are random sets of targets. A
source is called safe where the joint probability that all guards stay above -1 pp is at least .9. The safe source with
the largest expected gain on one wanted target is chosen; without any, nothing is trained. The decision score is the
true gain minus twice the mean loss of guards beyond the limit.
"""

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
from advice_exam.scores import LIMIT_PP, brier, calibration_error

from donorgrid.core.records import Cell
from donorgrid.statistics.harm import harmed
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.posterior import draw_deltas
from donorgrid.statistics.transfer_model.question import Measured, Question
from donorgrid.statistics.transfer_model.similarity import Similarity

KINDS = ("gaussian", "heavy", "uneven")
CONFIDENCE = 0.9
N_MODELS, N_DRAWS, N_WISHES = 5, 960, 30
NOISE_VARIANCE = 0.3
PARTS = {"everything": 0.8, "task": 0.8, "language": 0.2, "cell": 0.3}
GUARDS = (1, 3, 10, 0)
CELLS = tuple(Cell(task=task, language=language) for task, language in product("abc", ("de", "en", "hi", "id")))
_DEGREES = 4.0


def draw_grid(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """True and measured deltas in pp, shape (n_models, n_cells, n_cells): half of each variance is every model's."""
    n = len(CELLS)
    roots = {name: np.linalg.cholesky(_kernel(name) + 1e-9 * np.eye(n)) for name in PARTS}
    truth = np.zeros((N_MODELS, n, n))
    for (source, first), (target, second) in product(PARTS.items(), PARTS.items()):
        for n_drawn in (1, N_MODELS):
            drawn = rng.standard_normal((n_drawn, n, n))
            if kind == "heavy":
                drawn = rng.standard_t(_DEGREES, size=drawn.shape) / np.sqrt(_DEGREES / (_DEGREES - 2))
            truth += np.sqrt(0.5 * first * second) * (roots[source] @ drawn @ roots[target].T)
    if kind == "uneven":
        truth *= np.exp(rng.uniform(-0.5, 0.5, size=n) * np.log(8.0))
    return truth, truth + np.sqrt(NOISE_VARIANCE) * rng.standard_normal(truth.shape)


def _kernel(name: str) -> np.ndarray:
    keys = {"everything": (), "task": ("task",), "language": ("language",), "cell": ("task", "language")}[name]
    return np.array([[float(all(getattr(a, key) == getattr(b, key) for key in keys)) for b in CELLS] for a in CELLS])


def advised(measured: np.ndarray, probes: list[int], seed: int) -> np.ndarray:
    """Joint draws of the last model's true deltas, shape (n_draws, n_cells, n_cells)."""
    knowledge = Knowledge(
        models=tuple("abcd"),
        families=("f", "f", "g", "g"),
        sources=CELLS,
        targets=CELLS,
        delta_pp=measured[:-1],
        noise_variance=np.full_like(measured[:-1], NOISE_VARIANCE),
    )
    model = fit_model(knowledge, similarity=Similarity.none())
    index = np.array([(source, target) for source in probes for target in range(len(CELLS))], dtype=int).reshape(-1, 2)
    own = Measured(
        index=index,
        delta_pp=measured[-1][index[:, 0], index[:, 1]],
        noise_variance=np.full(len(index), NOISE_VARIANCE),
        baseline_variance=np.zeros(len(CELLS)),
    )
    question = Question(
        sources=[{cell: 1.0} for cell in CELLS], targets=CELLS, family="h", measured=own if probes else None
    )
    return draw_deltas(model, question, n_draws=N_DRAWS, seed=seed)


def choose(draws: np.ndarray, truth: np.ndarray, n_guards: int, rng: np.random.Generator) -> list[dict[str, object]]:
    """What is chosen for random wishes, and what it truly did."""
    n = len(CELLS)
    outcomes = []
    for _ in range(N_WISHES):
        wanted = int(rng.integers(n))
        others = rng.permutation([cell for cell in range(n) if cell != wanted])
        guards = others[: n_guards or None]
        sources = np.array([cell for cell in range(n) if cell != wanted])
        safe = (draws[:, :, guards] > -LIMIT_PP).all(axis=2).mean(axis=0)[sources] >= CONFIDENCE
        gains = draws[:, sources, wanted].mean(axis=0)
        best = int(sources[np.argmax(gains)])
        chosen = int(sources[safe][np.argmax(gains[safe])]) if (safe & (gains > 0)).any() else None
        outcomes.append(
            {
                "chosen": chosen is not None,
                "safe": None if chosen is None else not harmed(truth[chosen, guards], LIMIT_PP).any(),
                "gain": 0.0 if chosen is None else float(truth[chosen, wanted]),
                "unguarded_gain": float(truth[best, wanted]),
                "score": 0.0 if chosen is None else _score(truth, chosen, wanted, guards),
                "unguarded_score": _score(truth, best, wanted, guards),
            }
        )
    return outcomes


def _score(truth: np.ndarray, source: int, wanted: int, guards: np.ndarray) -> float:
    return float(truth[source, wanted] - 2 * np.maximum(-truth[source, guards] - LIMIT_PP, 0.0).mean())


def examine(kind: str, n_probes: int, n_grids: int) -> list[dict[str, object]]:
    """Rows of one kind of grid: coverage and harm, then one row for each number of guards."""
    inside, probability, outcome, widths = [], [], [], []
    chosen: dict[int, list[dict[str, object]]] = {n_guards: [] for n_guards in GUARDS}
    for seed in range(n_grids):
        rng = np.random.default_rng([seed, KINDS.index(kind)])
        truth, measured = draw_grid(kind, rng)
        probes = [int(rng.integers(4) + 4 * task) for task in range(3)] if n_probes else []
        draws = advised(measured, probes, seed)
        cells = ~np.eye(len(CELLS), dtype=bool)
        cells[probes] = False
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        inside.append(((truth[-1] >= low) & (truth[-1] <= high))[cells].mean())
        widths.append((high - low)[cells].mean())
        probability.append(harmed(draws, LIMIT_PP).mean(axis=0)[cells])
        outcome.append(harmed(truth[-1], LIMIT_PP)[cells])
        for n_guards in GUARDS:
            chosen[n_guards] += choose(draws, truth[-1], n_guards, rng)
    p, y = np.concatenate(probability), np.concatenate(outcome)
    rows = [
        {
            **{"kind": kind, "k": "1/task" if n_probes else "0", "n_grids": n_grids},
            **{"coverage90": float(np.mean(inside)), "width90_pp": float(np.mean(widths))},
            **{"brier": brier(p, y), "base_rate_brier": brier(np.full(len(y), y.mean()), y)},
            **{"ece": calibration_error(p, y), "harm_rate": float(y.mean()), "mean_p_harm_true": float(p.mean())},
        }
    ]
    return rows + [_summary(kind, n_probes, n_guards, outcomes) for n_guards, outcomes in chosen.items()]


def _summary(kind: str, n_probes: int, n_guards: int, outcomes: list[dict[str, object]]) -> dict[str, object]:
    called = [row for row in outcomes if row["chosen"]]
    return {
        **{"kind": kind, "k": "1/task" if n_probes else "0", "guards": n_guards or "all", "n_wishes": len(outcomes)},
        "abstained": 1 - len(called) / len(outcomes),
        "truly_safe": float(np.mean([row["safe"] for row in called])) if called else None,
        **{name: float(np.mean([row[name] for row in outcomes])) for name in ("gain", "unguarded_gain")},
        **{name: float(np.mean([row[name] for row in outcomes])) for name in ("score", "unguarded_score")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=20)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = [row for kind in given.kind for n_probes in (0, 1) for row in examine(kind, n_probes, given.grids)]
    for with_guards in (False, True):
        chosen = [row for row in rows if ("guards" in row) == with_guards]
        print("| " + " | ".join(chosen[0]) + " |\n|" + "---|" * len(chosen[0]))
        for row in chosen:
            cells = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()]
            print("| " + " | ".join(cells) + " |")
        print()
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
