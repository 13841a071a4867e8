"""LoRA adapters stacked: K adapters on one frozen network, each reading its own rows, in products of all K at once.

For a linear module with input x (K adapters x their tokens, n_in) the stack adds ``scaling * x A_k^T B_k^T`` for each
adapter k (Hu et al. 2021, arXiv 2106.09685, equation 3). A is (K, rank, n_in), B is (K, n_out, rank), in float32; both
lie in one (K, parameters) tensor, so that the optimiser and the clipping see one tensor and not hundreds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from donorgrid.core.errors import RunFailure
from donorgrid.models.low_rank import LowRankAdapter, Shapes, split_factors

Hook = Callable[[Any, tuple[Any, ...], Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class AdapterLayout:
    """Where each module's A and B lie among an adapter's parameters, and how the product is scaled."""

    shapes: Shapes
    scaling: float
    dropout: float = 0.0

    def split(self, values: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Views (K, rank, n_in) and (K, n_out, rank) by module, of a (K, parameters) tensor."""
        return split_factors(values, self.shapes)


class StackedAdapters:
    """K adapters, side by side in ``values`` (K, parameters)."""

    def __init__(self, layout: AdapterLayout, values: Tensor) -> None:
        self.layout = layout
        self.values = values.detach()
        self._leaves = layout.split(self.values)
        for pair in self._leaves.values():
            for leaf in pair:
                leaf.requires_grad_()
        self._low_rank = self._alone()

    def __len__(self) -> int:
        return len(self.values)

    def select(self, places: Sequence[int]) -> "StackedAdapters":
        """A new stack with copies of some of the adapters."""
        return StackedAdapters(self.layout, self.values[list(places)].clone())

    def low_rank(self) -> LowRankAdapter | None:
        """The only adapter, where it is one and reads everything: what ``models.fast_cpu`` computes by hand."""
        return self._low_rank

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (K, parameters) of a loss that was computed while the stack was active."""
        leaves = [pair[letter] for letter in (0, 1) for pair in self._leaves.values()]
        by_hand = [] if self._low_rank is None else [self._low_rank.values]
        found = torch.autograd.grad(loss, [*by_hand, *leaves], allow_unused=True)
        if by_hand and found[0] is not None:
            return found[0][None]
        of_leaves = found[len(by_hand) :]
        for name, one in zip([*self._leaves, *self._leaves], of_leaves, strict=True):
            if one is None:
                raise RunFailure(f"module '{name}' reads nothing: it cannot be trained")
        return torch.cat([one.flatten(1) for one in of_leaves], dim=1)

    def _alone(self) -> LowRankAdapter | None:
        if len(self) != 1 or self.layout.dropout:
            return None
        values = self.values[0].detach().requires_grad_()
        return LowRankAdapter(values=values, shapes=self.layout.shapes, scaling=self.layout.scaling)

    @contextmanager
    def active(self, network: Any, *, n_tokens: int) -> Iterator[None]:
        """While the body runs, each K-th part of a batch of ``n_tokens`` tokens is read with its own adapter."""
        hooks = [network.get_submodule(name).register_forward_hook(self._hook(name, n_tokens)) for name in self._leaves]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, name: str, n_tokens: int) -> Hook:
        a, b = self._leaves[name]
        share, scaling = self.layout.dropout, self.layout.scaling

        def add(_: Any, arguments: tuple[Any, ...], output: Tensor) -> Tensor:
            n_in, n_out = a.shape[2], b.shape[1]
            read = arguments[0].to(a.dtype).reshape(-1, n_in)
            if len(read) != n_tokens:
                raise RunFailure(f"module '{name}' reads {len(read)} of {n_tokens} tokens: it cannot be trained")
            if share and torch.is_grad_enabled():
                read = dropout(read, share)
            if len(a) == 1:
                low = torch.addmm(
                    output.to(a.dtype).reshape(-1, n_out), read @ a.squeeze(0).T, b.squeeze(0).T, alpha=scaling
                )
                return low.to(output.dtype).view_as(output)
            low = torch.bmm(read.view(len(a), -1, n_in), a.mT)
            whole = torch.baddbmm(output.to(a.dtype).reshape(len(a), -1, n_out), low, b.mT, alpha=scaling)
            return whole.to(output.dtype).view_as(output)

        return add
