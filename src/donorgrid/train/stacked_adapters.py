"""K LoRA adapters on one frozen network, each applied to its own rows, in batched products of all K.

For a linear module with input x (K adapters x their tokens, n_in) the stack adds ``scaling * x A_k^T B_k^T`` for
adapter k (Hu et al. 2021, arXiv 2106.09685, equation 3). A is (K, rank, n_in), B is (K, n_out, rank), in float32; both
lie in one (K, n_parameters) tensor, so that the optimizer and the clipping handle one tensor and not hundreds.

With a network in bf16 on a GPU the products are computed from copies of A and B in bf16, as under autocast: inputs need
no copies in float32, which are the larger half of a training's memory (docs/decisions/015).
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
    """Where each module's A and B lie among an adapter's parameters, the factor on their product, and the dropout."""

    shapes: Shapes
    scaling: float
    dropout: float = 0.0

    def split(self, values: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """Views (K, rank, n_in) and (K, n_out, rank) by module, of a (K, n_parameters) tensor."""
        return split_factors(values, self.shapes)


def product_dtype(network: Any) -> torch.dtype:
    """The dtype of the low-rank products: bf16 for a network in bf16 on a GPU, else float32."""
    weight = network.get_input_embeddings().weight
    is_rounded = weight.dtype == torch.bfloat16 and weight.device.type == "cuda"
    return torch.bfloat16 if is_rounded else torch.float32


class StackedAdapters:
    """K adapters, side by side in ``values`` (K, n_parameters); a ``Trainable``."""

    def __init__(self, layout: AdapterLayout, values: Tensor) -> None:
        self.layout = layout
        self.values = values.detach()
        self._factors = layout.split(self.values)
        for pair in self._factors.values():
            for factor in pair:
                factor.requires_grad_()
        self._low_rank = self._single_adapter()
        self._active_factors = self._factors

    def __len__(self) -> int:
        return len(self.values)

    def select(self, indices: Sequence[int]) -> "StackedAdapters":
        """A new stack with copies of some of the adapters."""
        return StackedAdapters(self.layout, self.values[list(indices)].clone())

    def low_rank(self) -> LowRankAdapter | None:
        """The only adapter, for ``Reader.adapted_hidden_states_at``; None for several adapters, or with dropout."""
        return self._low_rank

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (K, n_parameters) of a loss that was computed while the stack was active.

        Raises RunFailure for a module that the loss does not depend on.
        """
        factors = [pair[letter] for letter in (0, 1) for pair in self._active_factors.values()]
        fast = [] if self._low_rank is None else [self._low_rank.values]
        gradients = torch.autograd.grad(loss, [*fast, *factors], allow_unused=True)
        if fast and gradients[0] is not None:
            return gradients[0][None]
        factor_gradients = gradients[len(fast) :]
        for name, gradient in zip([*self._factors, *self._factors], factor_gradients, strict=True):
            if gradient is None:
                raise RunFailure(f"module '{name}' reads nothing: it cannot be trained")
        return torch.cat([gradient.flatten(1) for gradient in factor_gradients], dim=1).float()

    def change_gradients(self) -> Tensor:
        """The gradients (K, n_parameters) of ½ ‖scaling B A‖², summed over modules: scaling² B^T B A and B A A^T."""
        gradients, weight = torch.empty_like(self.values), self.layout.scaling**2
        with torch.no_grad():
            for name, (of_a, of_b) in self.layout.split(gradients).items():
                a, b = self._factors[name]
                of_a.copy_(weight * ((b.mT @ b) @ a))
                of_b.copy_(weight * (b @ (a @ a.mT)))
        return gradients

    @contextmanager
    def active(self, network: Any, *, n_tokens: int) -> Iterator[None]:
        """While the body runs, the k-th of K equal parts of a batch of ``n_tokens`` tokens is read with adapter k."""
        self._active_factors = self._factors_in(product_dtype(network))
        modules = {name: network.get_submodule(name) for name in self._factors}
        hooks = [module.register_forward_hook(self._hook(name, n_tokens)) for name, module in modules.items()]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _factors_in(self, dtype: torch.dtype) -> dict[str, tuple[Tensor, Tensor]]:
        """A and B by module, in a dtype; in another than float32 they are copies, whose gradients are wanted."""
        if dtype == torch.float32:
            return self._factors
        copies = self.layout.split(self.values.to(dtype))
        for pair in copies.values():
            for factor in pair:
                factor.requires_grad_()
        return copies

    def _single_adapter(self) -> LowRankAdapter | None:
        if len(self) != 1 or self.layout.dropout:
            return None
        values = self.values[0].detach().requires_grad_()
        return LowRankAdapter(values=values, shapes=self.layout.shapes, scaling=self.layout.scaling)

    def _hook(self, name: str, n_tokens: int) -> Hook:
        """A forward hook that adds the adapters' products to the output of a linear module."""
        a, b = self._active_factors[name]
        p_dropout, scaling = self.layout.dropout, self.layout.scaling

        def add(_: Any, arguments: tuple[Any, ...], output: Tensor) -> Tensor:
            n_in, n_out = a.shape[2], b.shape[1]
            inputs = arguments[0].to(a.dtype).reshape(-1, n_in)
            if len(inputs) != n_tokens:
                raise RunFailure(f"module '{name}' reads {len(inputs)} of {n_tokens} tokens: it cannot be trained")
            if p_dropout and torch.is_grad_enabled():
                inputs = dropout(inputs, p_dropout)
            if len(a) == 1:
                outputs = output.to(a.dtype).reshape(-1, n_out)
                total = torch.addmm(outputs, inputs @ a.squeeze(0).T, b.squeeze(0).T, alpha=scaling)
            else:
                low_rank = torch.bmm(inputs.view(len(a), -1, n_in), a.mT)
                outputs = output.to(a.dtype).reshape(len(a), -1, n_out)
                total = torch.baddbmm(outputs, low_rank, b.mT, alpha=scaling)
            return total.to(output.dtype).view_as(output)

        return add
