"""How often ``donorgrid check`` is wrong, on simulated item answers whose true effects are known.

    python benchmarks/check_error_rates.py [--draws 4000] [--joint-draws 2000] [--seed 0]

Prints the tables of docs/results/check.md: false *safe* at a true effect of exactly minus the limit, for one guard and
jointly over 13 guards that share their items; false *harmed* at no effect and at the limit; and whether the number of
items that is said to decide an open verdict does.
"""

import argparse
from functools import cache

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from donorgrid.check.verdicts import joint_over_guards
from donorgrid.statistics.flips import Flips
from donorgrid.statistics.paired import items_to_decide, paired_bounds

LIMIT_PP, TAIL, N_GUARDS = 1.0, 0.05, 13
ITEMS = (100, 200, 235, 300, 400, 1000, 2500)
FLIP_RATES = (0.01, 0.015, 0.02, 0.04, 0.08, 0.16)


def draw_flips(rng: np.random.Generator, n_items: int, flip_rate: float, delta_pp: float, n_draws: int) -> np.ndarray:
    """(n_draws, 2): items gained and lost, of items that flip at a rate with a true effect."""
    gain, loss = (flip_rate + delta_pp / 100) / 2, (flip_rate - delta_pp / 100) / 2
    return rng.multinomial(n_items, [gain, loss, 1 - gain - loss], size=n_draws)[:, :2]


def verdict_rate(flips: np.ndarray, n_items: int, verdict: str) -> float:
    return float(np.mean([verdict_of(gained, lost, n_items) == verdict for gained, lost in flips]))


def verdict_of(gained: int, lost: int, n_items: int) -> str:
    return Flips(gained=int(gained), lost=int(lost), n_items=n_items).verdict(LIMIT_PP, TAIL)


def normal_safe_rate(flips: np.ndarray, n_items: int) -> float:
    """What a normal interval with pseudo-items (Bonett & Price) would have called safe."""
    difference, total = (flips[:, 0] - flips[:, 1]) / n_items, flips.sum(axis=1) / n_items
    se = np.sqrt((total - difference**2) / (n_items - 1))
    low, _ = paired_bounds(100 * difference, 100 * se, np.full(len(flips), float(n_items))).bounds(TAIL)
    return float((low > -LIMIT_PP).mean())


def exact_safe_rate(n_items: int, flip_rate: float) -> float:
    """The probability of *safe* at exactly the limit, summed over the numbers of gains and of losses."""
    gain, loss = (flip_rate - LIMIT_PP / 100) / 2, (flip_rate + LIMIT_PP / 100) / 2
    total = 0.0
    for gained in range(int(binom.ppf(1e-6, n_items, gain)), int(binom.ppf(1 - 1e-6, n_items, gain)) + 1):
        most = most_losses(gained, n_items)
        total += binom.pmf(gained, n_items, gain) * binom.cdf(most, n_items - gained, loss / (1 - gain))
    return float(total)


@cache
def most_losses(gained: int, n_items: int) -> int:
    """The most losses beside so many gains that are called safe; -1 for none."""
    low, high = -1, n_items - gained
    while low < high:
        middle = (low + high + 1) // 2
        if verdict_of(gained, middle, n_items) == "safe":
            low = middle
        else:
            high = middle - 1
    return low


def one_guard(rng: np.random.Generator, n_draws: int) -> None:
    print("\nOne guard at exactly the limit, false safe in %: exact / simulated / simulated for a normal interval\n")
    print("| items | " + " | ".join(f"{100 * rate:g}% flips" for rate in FLIP_RATES) + " |")
    print("|---" * (len(FLIP_RATES) + 1) + "|")
    worst = 0.0
    for n_items in ITEMS:
        cells = []
        for rate in FLIP_RATES:
            flips = draw_flips(rng, n_items, rate, -LIMIT_PP, n_draws)
            found = verdict_rate(flips, n_items, "safe")
            exact = exact_safe_rate(n_items, rate)
            worst = max(worst, exact)
            cells.append(f"{100 * exact:.1f} / {100 * found:.1f} / {100 * normal_safe_rate(flips, n_items):.1f}")
        print(f"| {n_items:,} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nworst exact rate: {100 * worst:.2f}%")


def joint_guards(rng: np.random.Generator, n_draws: int) -> None:
    """13 guards over the same items: an item's differences in two guards are correlated by a shared normal part."""
    print(f"\nJointly over {N_GUARDS} guards of 2,500 items that share their items (correlation 0.3), 4% flips\n")
    print("| guards at exactly the limit, the others at | joint safe in % | joint harmed in % |\n|---|---|---|")
    cases = [(1, 2.0), (3, 2.0), (13, 0.0), (1, 0.0), (0, 0.0)]
    for n_at_limit, others_pp in cases:
        deltas = np.array([-LIMIT_PP] * n_at_limit + [others_pp] * (N_GUARDS - n_at_limit))
        found = [joint_draw(rng, deltas, n_items=2500, flip_rate=0.04) for _ in range(n_draws)]
        safe, harmed = (100 * float(np.mean([one == word for one in found])) for word in ("safe", "harmed"))
        print(f"| {n_at_limit} of {N_GUARDS}, {others_pp:+.1f} pp | {safe:.1f} | {harmed:.1f} |", flush=True)


def joint_draw(rng: np.random.Generator, deltas: np.ndarray, *, n_items: int, flip_rate: float) -> str | None:
    shared = rng.standard_normal(n_items)
    verdicts = []
    for delta in deltas:
        latent = np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.standard_normal(n_items)
        gain, loss = (flip_rate + delta / 100) / 2, (flip_rate - delta / 100) / 2
        gained, lost = int((latent > ndtri(1 - gain)).sum()), int((latent < ndtri(loss)).sum())
        verdicts.append(verdict_of(gained, lost, n_items))
    return joint_over_guards(verdicts)


def harm_claims(rng: np.random.Generator, n_draws: int) -> None:
    print("\nOne guard: false harmed in % at no effect / at exactly the limit\n")
    print("| items | " + " | ".join(f"{100 * rate:g}% flips" for rate in FLIP_RATES) + " |")
    print("|---" * (len(FLIP_RATES) + 1) + "|")
    for n_items in (100, 400, 2500):
        cells = []
        for rate in FLIP_RATES:
            none, at = (
                verdict_rate(draw_flips(rng, n_items, rate, delta, n_draws), n_items, "harmed")
                for delta in (0.0, -LIMIT_PP)
            )
            cells.append(f"{100 * none:.1f} / {100 * at:.1f}")
        print(f"| {n_items:,} | " + " | ".join(cells) + " |", flush=True)


def items_that_decide(rng: np.random.Generator, n_draws: int) -> None:
    print("\nItems said to decide at 80% power, and how often they do, in %\n")
    print("| flips | true delta | items | decided |\n|---|---|---|---|")
    for rate, delta in ((0.02, 0.0), (0.04, 0.0), (0.08, 0.0), (0.04, -3.0), (0.08, 1.0), (0.2, -4.0)):
        sd = np.sqrt(rate - (delta / 100) ** 2)
        n_items = int(items_to_decide(np.array([sd]), np.array([delta + LIMIT_PP]), tail=TAIL)[0])
        flips = draw_flips(rng, n_items, rate, delta, n_draws)
        decided = 1.0 - verdict_rate(flips, n_items, "undecided")
        print(f"| {100 * rate:g}% | {delta:+.1f} pp | {n_items:,} | {100 * decided:.1f} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--draws", type=int, default=4000)
    options.add_argument("--joint-draws", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    rng = np.random.default_rng(given.seed)
    one_guard(rng, given.draws)
    joint_guards(rng, given.joint_draws)
    harm_claims(rng, given.draws)
    items_that_decide(rng, given.draws)


if __name__ == "__main__":
    main()
