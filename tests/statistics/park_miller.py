"""The small data set with frozen right answers: a Park-Miller generator, so that anyone can make it again."""

from collections.abc import Iterator

import numpy as np


def normals(state: int) -> Iterator[float]:
    """Sums of twelve uniforms, less six: x <- 16807 x mod 2147483647."""
    while True:
        total = 0.0
        for _ in range(12):
            state = 16807 * state % 2147483647
            total += state / 2147483647
        yield total - 6


def crossed_rows(state: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(factors, delta in pp) of 4 models x 6 sources x 6 targets, deltas in twelfths."""
    z = normals(state)
    models, sources, targets = ([next(z) for _ in range(n)] for n in (4, 6, 6))
    by_source, by_target = ([[next(z) for _ in range(6)] for _ in range(4)] for _ in range(2))
    rows = []
    for m in range(4):
        for s in range(6):
            for t in range(6):
                value = 0.4 + 0.8 * models[m] + 0.6 * sources[s] + 1.1 * targets[t]
                value += 0.5 * by_source[m][s] + 0.7 * by_target[m][t] + 1.0 * next(z)
                rows.append((m, s, t, np.floor(12 * value + 0.5)))
    table = np.array(rows)
    m, s, t = table[:, :3].astype(int).T
    return {"model": m, "source": s, "target": t, "model:source": 6 * m + s, "model:target": 6 * m + t}, table[
        :, 3
    ] / 12
