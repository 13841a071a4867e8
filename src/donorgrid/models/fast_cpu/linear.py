"""Linear modules with frozen weights and low-rank adapters, computed as one product, and the adapters' gradients.

Linear modules that read the same input (query, key and value; gate and up) become one product. Their weights are joined
in one tensor, and the modules' own weights become views of it. So no weight is stored twice, and a change of a module's
weight in place (a merged adapter) also changes the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.bf16_products import multiply_bf16
from donorgrid.models.low_rank import AdapterBlock, LowRankAdapter


@dataclass(frozen=True, kw_only=True)
class SavedAdapter:
    """What the backward pass needs of an adapter: ``x_a`` is ``x A^T``, ``(n_tokens, sum of ranks)``."""

    x_a: Tensor
    block: AdapterBlock
    scaling: float


class JoinedLinear:
    """``x W^T + bias`` of linear modules side by side, plus ``scaling * x A^T B^T`` for each adapted module.

    Parameters
    ----------
    names
        The names of the modules in the network, by which an adapter knows them.
    modules
        The ``torch.nn.Linear`` modules. They read the same input.
    in_bf16
        Whether products with the weights are computed in bf16 (``bf16_products``). Weights in bf16 need it; weights in
        float32 are rounded for each product. Hidden states, adapters and gradients are float32 either way.
    """

    def __init__(self, names: Sequence[str], modules: Sequence[Any], *, in_bf16: bool = False) -> None:
        self._names = tuple(names)
        self._modules = tuple(modules)
        self._widths = [module.out_features for module in modules]
        self._has_bias = modules[0].bias is not None
        self._in_bf16 = in_bf16
        self._weight = self._join_weights()

    def prepare(self) -> None:
        """Joins the weights again if a module was given another weight tensor."""
        if self._modules[0].weight.data_ptr() != self._weight.data_ptr() or not self._are_adjacent():
            self._weight = self._join_weights()

    def _are_adjacent(self) -> bool:
        """True if the modules' weights follow each other in memory."""
        first = self._modules[0].weight
        address, storage = first.data_ptr(), first.untyped_storage().data_ptr()
        for module, width in zip(self._modules, self._widths, strict=True):
            weight = module.weight
            if weight.data_ptr() != address or weight.untyped_storage().data_ptr() != storage:
                return False
            address += width * first.shape[1] * first.element_size()
        return True

    def _join_weights(self) -> Tensor:
        first: Tensor = self._modules[0].weight.data
        if self._are_adjacent():  # one module, or joined by another decoder of the same network
            return first.as_strided((sum(self._widths), first.shape[1]), first.stride())
        with torch.inference_mode(mode=False):
            joined = torch.cat([module.weight.data for module in self._modules])
            for module, part in zip(self._modules, torch.split(joined, self._widths), strict=True):
                module.weight.data = part
        return joined

    def forward(
        self, x: Tensor, adapter: LowRankAdapter | None, *, residual: Tensor | None = None, in_place: bool = False
    ) -> tuple[Tensor, SavedAdapter | None]:
        """Computes the outputs of the modules, side by side.

        Parameters
        ----------
        x
            ``(n_tokens, n_in)``.
        adapter
            The active adapter, or None.
        residual
            ``(n_tokens, n_out)``, added to the output.
        in_place
            Whether ``residual`` may be overwritten with the output.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_out)``, and what ``backward`` needs of the adapter (None: no module is adapted)
        """
        if self._in_bf16:
            product = multiply_bf16(x, self._weight.T)
            y = product.float() if residual is None else (residual.add_(product) if in_place else residual + product)
        elif residual is None:
            y = torch.mm(x, self._weight.T)
        else:
            y = residual.addmm_(x, self._weight.T) if in_place else torch.addmm(residual, x, self._weight.T)
        if self._has_bias:
            y += torch.cat([module.bias for module in self._modules])
        if adapter is None or not adapter.adapts_any(self._names):
            return y, None
        block = adapter.block(self._names)
        x_a = torch.mm(x, block.a_transposed)
        module_outputs, x_a_parts = _split(y, self._widths), _split(x_a, block.ranks)
        for index, x_a_part, b_transposed in zip(block.module_indices, x_a_parts, block.b_transposed, strict=True):
            module_outputs[index].addmm_(x_a_part, b_transposed, alpha=adapter.scaling)
        return y, SavedAdapter(x_a=x_a, block=block, scaling=adapter.scaling)

    def backward(self, grad_y: Tensor, x: Tensor, saved: SavedAdapter | None, gradients: LowRankAdapter) -> Tensor:
        """Returns the gradient of ``x`` and writes those of A and B.

        Parameters
        ----------
        grad_y
            The gradient of the output, ``(n_tokens, n_out)``.
        x, saved
            What ``forward`` read and returned.
        gradients
            Its values receive the gradients of the adapter's values.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_in)``
        """
        grad_x = multiply_bf16(grad_y, self._weight).float() if self._in_bf16 else torch.mm(grad_y, self._weight)
        if saved is None:
            return grad_x
        grad_x_a = self._write_adapter_gradients(grad_y, x, saved, gradients)
        return grad_x.addmm_(grad_x_a, saved.block.a, alpha=saved.scaling)

    def backward_adapter(
        self, grad_y: Tensor, x: Tensor, saved: SavedAdapter | None, gradients: LowRankAdapter
    ) -> None:
        """Writes the gradients of A and B only.

        Parameters
        ----------
        grad_y, x, saved, gradients
            As in ``backward``.
        """
        if saved is not None:
            self._write_adapter_gradients(grad_y, x, saved, gradients)

    def _write_adapter_gradients(
        self, grad_y: Tensor, x: Tensor, saved: SavedAdapter, gradients: LowRankAdapter
    ) -> Tensor:
        """Returns the gradient of ``x_a``, divided by the scaling."""
        grad_x_a = torch.empty_like(saved.x_a)
        block, grad_block = saved.block, gradients.block(self._names)
        grad_outputs, grad_x_a_parts = _split(grad_y, self._widths), _split(grad_x_a, block.ranks)
        x_a_parts = _split(saved.x_a, block.ranks)
        for number, index in enumerate(block.module_indices):
            grad_output = grad_outputs[index]
            torch.mm(grad_output, block.b[number], out=grad_x_a_parts[number])
            grad_block.b[number].addmm_(grad_output.T, x_a_parts[number], beta=0, alpha=saved.scaling)
        grad_block.a.addmm_(grad_x_a.T, x, beta=0, alpha=saved.scaling)
        return grad_x_a


def _split(x: Tensor, widths: Sequence[int]) -> Sequence[Tensor]:
    """Views of adjacent columns."""
    return (x,) if len(widths) == 1 else torch.split_with_sizes(x, widths, 1)
