"""Low-rank adapters as one vector of numbers; the A and B of each module are views of it (Hu et al. 2021)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import torch
from torch import Tensor

Factors = tuple[Tensor, Tensor]
"""A, ``(rank, n_in)``, and B, ``(n_out, rank)``, of one module."""
Shapes = Mapping[str, tuple[tuple[int, int], tuple[int, int]]]
"""The shapes of A and B by module name, in the order of the network's modules."""


def split_factors(values: Tensor, shapes: Shapes) -> dict[str, Factors]:
    """Returns A and B by module as views of a vector of values.

    Parameters
    ----------
    values
        ``(..., n_parameters)``: A of all modules in the order of ``shapes``, then B of all modules.
    shapes
        The shapes of A and B by module.

    Returns
    -------
    dict
        A, ``(..., rank, n_in)``, and B, ``(..., n_out, rank)``, by module.
    """
    keys = [(name, factor) for factor in (0, 1) for name in shapes]
    parts = torch.split_with_sizes(values, [prod(shapes[name][factor]) for name, factor in keys], dim=-1)
    views = {
        (name, factor): part.view(*part.shape[:-1], *shapes[name][factor])
        for (name, factor), part in zip(keys, parts, strict=True)
    }
    return {name: (views[name, 0], views[name, 1]) for name in shapes}


def join_factors(factors: Mapping[str, Factors]) -> Tensor:
    """Returns one adapter's A and B as one vector in float32, in the order that ``split_factors`` reads."""
    return torch.cat([pair[factor].detach().float().flatten() for factor in (0, 1) for pair in factors.values()])


@dataclass(frozen=True, kw_only=True)
class AdapterBlock:
    """What an adapter adds to linear modules that are computed as one product. Modules without an adapter are left out.

    Attributes
    ----------
    a
        The A of the modules, stacked: ``(sum of ranks, n_in)``.
    b
        The B of each module, ``(n_out, rank)``.
    ranks
        The rank of each module.
    module_indices
        The index of each module among those of the product.
    """

    a: Tensor
    b: tuple[Tensor, ...]
    ranks: tuple[int, ...]
    module_indices: tuple[int, ...]

    @cached_property
    def a_transposed(self) -> Tensor:
        """``(n_in, sum of ranks)``, a view."""
        return self.a.T

    @cached_property
    def b_transposed(self) -> tuple[Tensor, ...]:
        """``(rank, n_out)`` of each module, views."""
        return tuple(b.T for b in self.b)


@dataclass(frozen=True, kw_only=True)
class LowRankAdapter:
    """One adapter: it adds ``scaling * x A^T B^T`` to the output of a module (Hu et al. 2021, equation 3).

    Attributes
    ----------
    values
        A and B of all modules, ``(n_parameters,)``, as ``split_factors`` reads them. Gradients are taken of it.
    shapes
        The shapes of A and B by module.
    scaling
        The factor of the product: ``alpha / rank`` as a rule.
    """

    values: Tensor
    shapes: Shapes
    scaling: float
    _blocks: dict[tuple[str, ...], AdapterBlock] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def factors(self) -> dict[str, Factors]:
        """A and B by module, views without gradients."""
        return split_factors(self.values.detach(), self.shapes)

    def with_values(self, values: Tensor) -> "LowRankAdapter":
        """Returns an adapter of the same shapes and scaling with other values."""
        return LowRankAdapter(values=values, shapes=self.shapes, scaling=self.scaling)

    def adapts_any(self, names: Iterable[str]) -> bool:
        """True if at least one of the modules has an adapter."""
        return any(name in self.shapes for name in names)

    def is_adjacent_in(self, groups: Iterable[Sequence[str]]) -> bool:
        """True if the adapted modules of each group follow each other in ``shapes``, in the group's order.

        ``block`` needs this: the A of a group are then one matrix in memory.
        """
        order = {name: number for number, name in enumerate(self.shapes)}
        numbers_by_group = ([order[name] for name in names if name in order] for names in groups)
        return all(
            number == numbers[0] + offset for numbers in numbers_by_group for offset, number in enumerate(numbers)
        )

    def block(self, names: tuple[str, ...]) -> AdapterBlock:
        """Returns the A and B (views) of modules of which ``adapts_any`` and ``is_adjacent_in`` are true."""
        if names not in self._blocks:
            adapted = [(index, *self.factors[name]) for index, name in enumerate(names) if name in self.shapes]
            module_indices, a_factors, b_factors = zip(*adapted, strict=True)
            ranks = tuple(len(a) for a in a_factors)
            first_a = a_factors[0]
            stacked = first_a.as_strided((sum(ranks), first_a.shape[1]), first_a.stride())
            self._blocks[names] = AdapterBlock(a=stacked, b=b_factors, ranks=ranks, module_indices=module_indices)
        return self._blocks[names]
