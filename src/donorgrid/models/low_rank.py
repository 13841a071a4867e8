"""Low-rank adapters as one vector of numbers, of which each module's A and B are views (Hu et al. 2021)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]
# Of each module, in the order of the network's modules, the shapes of A and B.
Shapes = Mapping[str, tuple[tuple[int, int], tuple[int, int]]]


def split_factors(values: Tensor, shapes: Shapes) -> dict[str, Pair]:
    """A and B by module (views) of values (..., parameters): first all A in the order of ``shapes``, then all B."""
    places = [(name, letter) for letter in (0, 1) for name in shapes]
    parts = torch.split_with_sizes(values, [prod(shapes[name][letter]) for name, letter in places], dim=-1)
    found = {
        (name, letter): part.view(*part.shape[:-1], *shapes[name][letter])
        for (name, letter), part in zip(places, parts, strict=True)
    }
    return {name: (found[name, 0], found[name, 1]) for name in shapes}


def join_factors(pairs: Mapping[str, Pair]) -> Tensor:
    """One adapter's A and B by module as one vector in float32, as ``split_factors`` reads it."""
    return torch.cat([pair[letter].detach().float().flatten() for letter in (0, 1) for pair in pairs.values()])


@dataclass(frozen=True, kw_only=True)
class AdapterBlock:
    """What an adapter has beside a product: the A of its modules on end, and of each its number there, rank and B."""

    a: Tensor
    numbers: tuple[int, ...]
    ranks: tuple[int, ...]
    b: tuple[Tensor, ...]

    @cached_property
    def a_turned(self) -> Tensor:
        """A with rows and columns exchanged (a view)."""
        return self.a.T

    @cached_property
    def b_turned(self) -> tuple[Tensor, ...]:
        """The same of each B."""
        return tuple(one.T for one in self.b)


@dataclass(frozen=True, kw_only=True)
class LowRankAdapter:
    """One adapter: A (rank, n_in) and B (n_out, rank) by module, and its scaling (Hu et al. 2021, equation 3).

    ``values`` holds them all (``split_factors``), and is what gradients are taken of.
    """

    values: Tensor
    shapes: Shapes
    scaling: float
    _found: dict[tuple[str, ...], AdapterBlock] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """A and B by module (views)."""
        return split_factors(self.values.detach(), self.shapes)

    def like(self, values: Tensor) -> "LowRankAdapter":
        """The same with other values."""
        return LowRankAdapter(values=values, shapes=self.shapes, scaling=self.scaling)

    def lie_together(self, groups: Iterable[Sequence[str]]) -> bool:
        """Whether the modules of each group that it changes follow one another among its own, in that order."""
        numbers = {name: number for number, name in enumerate(self.shapes)}
        places = ([numbers[name] for name in names if name in numbers] for names in groups)
        return all(place == own[0] + further for own in places for further, place in enumerate(own))

    def changes(self, names: Iterable[str]) -> bool:
        """Whether it has anything for one of these modules."""
        return any(name in self.shapes for name in names)

    def beside(self, names: tuple[str, ...]) -> AdapterBlock:
        """What it has (views) beside a product that it ``changes``, whose modules ``lie_together``."""
        if names not in self._found:
            own = [(number, *self.pairs[name]) for number, name in enumerate(names) if name in self.shapes]
            numbers, of_a, of_b = zip(*own, strict=True)
            ranks = tuple(len(one) for one in of_a)
            together = of_a[0].as_strided((sum(ranks), of_a[0].shape[1]), of_a[0].stride())
            self._found[names] = AdapterBlock(a=together, numbers=numbers, ranks=ranks, b=of_b)
        return self._found[names]
