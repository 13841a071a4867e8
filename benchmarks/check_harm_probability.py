"""Is the probability of harm of ``donorgrid check`` what it says? Simulated checks with known truth.

    python benchmarks/check_harm_probability.py [--checks 20000] [--seed 0]

Prints the tables of docs/results/check.md: of the checks whose probability of harm lies in a range, the mean stated
probability and the share that is truly harmed, for truths drawn from the prior and from other distributions.
"""

import argparse
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np

from donorgrid.statistics.harm_probability import harm_probability, prior_draws

LIMIT_PP = 1.0
ITEMS = (50, 100, 400)
EDGES = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
Shares = tuple[np.ndarray, np.ndarray]


def changes_and_effects(changes: np.ndarray, effects: np.ndarray) -> Shares:
    """Shares of gains and losses, from the share of answers that change and the effect."""
    changes = np.minimum(np.maximum(changes, np.abs(effects)), 1.0)
    return (changes + effects) / 2.0, (changes - effects) / 2.0


def normal_effects(changed: float, effect_pp: float) -> Callable[[int, np.random.Generator], Shares]:
    def drawn(n: int, rng: np.random.Generator) -> Shares:
        changes = rng.beta(3.0, 3.0 / changed - 3.0, n)
        return changes_and_effects(changes, effect_pp / 100.0 * rng.standard_normal(n))

    return drawn


def mostly_none(n: int, rng: np.random.Generator) -> Shares:
    effects = np.clip(0.01 * rng.standard_t(3, n), -0.9, 0.9)
    return changes_and_effects(rng.beta(3.0, 47.0, n), effects)


def any_size(n: int, rng: np.random.Generator) -> Shares:
    changes = np.exp(rng.uniform(np.log(0.005), np.log(0.3), n))
    return changes_and_effects(changes, changes * rng.uniform(-1.0, 1.0, n))


TRUTHS: dict[str, Callable[[int, np.random.Generator], Shares]] = {
    "the prior itself": prior_draws,
    "15% of answers change, effects normal with 5 pp": normal_effects(0.15, 5.0),
    "6% of answers change, effects normal with 2 pp": normal_effects(0.06, 2.0),
    "0.5 to 30% of answers change, any share of them gains": any_size,
    "6% of answers change, effects of 1 pp times Student's t (3 degrees of freedom)": mostly_none,
}


@cache
def stated(gained: int, lost: int, n_items: int) -> float:
    return harm_probability(gained, lost, n_items, LIMIT_PP)


def row(n_items: int, truth: Callable[[int, np.random.Generator], Shares], n: int, rng: np.random.Generator) -> str:
    gain, loss = truth(n, rng)
    changed = rng.binomial(n_items, gain + loss)
    gained = rng.binomial(changed, np.where(gain + loss > 0, gain / np.maximum(gain + loss, 1e-300), 0.5))
    claims = np.array(
        [stated(int(up), int(all_of) - int(up), n_items) for up, all_of in zip(gained, changed, strict=True)]
    )
    harmed = gain - loss <= -LIMIT_PP / 100.0
    cells = []
    for low, high in pairwise(EDGES):
        inside = (claims >= low) & ((claims < high) | (high == 1.0))
        share = f"{100 * claims[inside].mean():.0f} → {100 * harmed[inside].mean():.0f}" if inside.sum() >= 30 else "–"
        cells.append(f"{share} ({100 * inside.mean():.0f}%)")
    return f"| {n_items} | {100 * claims.mean():.1f} → {100 * harmed.mean():.1f} | " + " | ".join(cells) + " |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--checks", type=int, default=20000)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    ranges = [f"{100 * low:.0f} to {100 * high:.0f}%" for low, high in pairwise(EDGES)]
    for name, truth in TRUTHS.items():
        print(f"\nTruths: {name}\n\n| items | all checks | " + " | ".join(ranges) + " |")
        print("|---" * (len(ranges) + 2) + "|")
        rng = np.random.default_rng(given.seed)
        for n_items in ITEMS:
            print(row(n_items, truth, given.checks, rng), flush=True)


if __name__ == "__main__":
    main()
