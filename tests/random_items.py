"""Random encoded items, made of tokens alone."""

import random

from donorgrid.core.records import Cell, Item
from donorgrid.score.encode import EncodedItem


def random_items(count: int, *, seed: int) -> tuple[EncodedItem, ...]:
    """Encoded items: a third with a long common preamble, options that share tokens, repeat, or are one token long."""
    rng = random.Random(seed)
    preamble = tuple(rng.randrange(10, 300) for _ in range(25))
    items = []
    for index in range(count):
        context = (*(preamble if index % 3 == 0 else ()), *(rng.randrange(10, 300) for _ in range(rng.randint(1, 12))))
        stem = tuple(rng.randrange(10, 300) for _ in range(rng.randint(0, 3)))
        continuations = [
            (*stem, *(rng.randrange(10, 300) for _ in range(rng.randint(1, 4)))) for _ in range(rng.randint(2, 4))
        ]
        continuations.append(rng.choice(continuations))
        items.append(
            EncodedItem(
                item=Item(
                    id=str(index),
                    cell=Cell(task="t", language="en"),
                    context="",
                    choices=tuple(map(str, range(len(continuations)))),
                    answer=0,
                ),
                context=context,
                continuations=tuple(continuations),
            )
        )
    return tuple(items)
