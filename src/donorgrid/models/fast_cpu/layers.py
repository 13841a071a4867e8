"""One decoder layer of a known kind: the forward pass, and the gradients of an adapter on its linear modules."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.architectures import LayerModules, NormModule
from donorgrid.models.fast_cpu.attention import Attention
from donorgrid.models.fast_cpu.linear import JoinedLinear
from donorgrid.models.fast_cpu.norms import norm_heads, norm_heads_backward, rms_norm, rms_norm_backward
from donorgrid.models.fast_cpu.projections import LastLayerQKVProjection, QKVProjection
from donorgrid.models.fast_cpu.residual import ResidualLinear
from donorgrid.models.fast_cpu.rotary import Rotary
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.low_rank import LowRankAdapter


class FastLayer:
    """What is the same for all batches of a layer: its joined linear modules, norms and heads.

    Parameters
    ----------
    modules
        The modules of transformers' layer.
    name
        The layer's name in the network: adapters know modules by their names.
    window
        The sliding window of its attention in positions, or None.
    rotary_type
        The type of layer whose rotary embeddings it uses; None if all layers use the same.
    is_last
        Whether it is the last layer, which computes only the hidden states that are needed.
    in_bf16
        Whether products with its weights are computed in bf16.
    """

    def __init__(
        self,
        modules: LayerModules,
        *,
        name: str,
        window: int | None,
        rotary_type: str | None,
        is_last: bool,
        in_bf16: bool,
    ) -> None:
        groups = (modules.qkv, (modules.output,), modules.gate_up, (modules.down,))
        self.names_by_product = [[f"{name}.{linear.path}" for linear in group] for group in groups]
        qkv, output, gate_up, down = ([linear.module for linear in group] for group in groups)
        qkv_names, output_names, gate_up_names, down_names = self.names_by_product
        skips_queries = is_last and len(qkv) == 3
        self.qkv = (LastLayerQKVProjection if skips_queries else QKVProjection)(qkv_names, qkv, in_bf16=in_bf16)
        self.output = ResidualLinear(output_names, output, modules.attention_output_norm, in_bf16=in_bf16)
        self.gate_up = JoinedLinear(gate_up_names, gate_up, in_bf16=in_bf16)
        self.down = ResidualLinear(down_names, down, modules.mlp_output_norm, in_bf16=in_bf16)
        self.activation = modules.activation
        self.modules = modules
        self.window = window
        self.rotary_type = rotary_type
        self.is_last = is_last

    def prepare(self) -> bool:
        """Takes over weights that were replaced. False if a linear module was replaced or hooked: use transformers."""
        if not all(linear.is_untouched for linear in self.modules.linear_modules):
            return False
        for product in (self.qkv, self.output, self.gate_up, self.down):
            product.prepare()
        return True


@dataclass(frozen=True, kw_only=True)
class BatchContext:
    """A batch, as every layer reads it.

    Attributes
    ----------
    rows
        The rows without padding.
    rotary
        The rotary embeddings of the flat tokens, by ``FastLayer.rotary_type``.
    adapter
        The active adapter, or None.
    output_indices
        The flat tokens whose hidden states the last layer returns, in any order, possibly repeated.
    """

    rows: UnpaddedRows
    rotary: Mapping[str | None, Rotary]
    adapter: LowRankAdapter | None
    output_indices: Tensor

    @cached_property
    def query_indices(self) -> Tensor:
        """The same tokens in increasing order, each once."""
        indices: Tensor = torch.unique(self.output_indices)
        return indices


class LayerPass:
    """The forward and the backward pass of one batch through one layer.

    Parameters
    ----------
    layer
        The layer.
    context
        The batch.
    save_for_backward
        Whether ``backward`` will be called. If not, ``forward`` overwrites what it reads.
    """

    def __init__(self, layer: FastLayer, context: BatchContext, *, save_for_backward: bool) -> None:
        self._layer = layer
        self._context = context
        self._output_indices = context.output_indices if layer.is_last else None
        self._save_for_backward = save_for_backward
        self._attention = Attention(
            layer.modules.heads, context.rows, layer.window, context.query_indices if layer.is_last else None
        )
        self._saved: Any = None
        self._saved_head_norms: list[tuple[Any, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        """Computes the layer's output.

        Parameters
        ----------
        x
            Hidden states, ``(n_tokens, hidden_size)``.

        Returns
        -------
        Tensor of shape ``(n_tokens, hidden_size)``; in the last layer ``(n_output_indices, hidden_size)``
        """
        layer, adapter, in_place = self._layer, self._context.adapter, not self._save_for_backward
        normed_x, inverse_rms_x = _norm(layer.modules.input_norm, x)
        qkv, saved_qkv = layer.qkv.forward(normed_x, self._context.query_indices, adapter)
        self._norm_and_rotate_heads(qkv)
        attended = self._attention.forward(qkv, save_for_backward=self._save_for_backward)
        residual = x
        if self._output_indices is not None:
            attended, residual = attended[self._output_indices], x[self._output_indices]
        middle, saved_output = layer.output.forward(attended, adapter, residual=residual, in_place=in_place)
        normed_middle, inverse_rms_middle = _norm(layer.modules.mlp_input_norm, middle)
        gate_up, saved_gate_up = layer.gate_up.forward(normed_middle, adapter)
        activated = layer.activation.forward(gate_up)
        result, saved_down = layer.down.forward(activated, adapter, residual=middle, in_place=in_place)
        if self._save_for_backward:
            self._saved = (
                (x, inverse_rms_x, normed_x, saved_qkv),
                (attended, saved_output),
                (middle, inverse_rms_middle, normed_middle, saved_gate_up),
                (gate_up, activated, saved_down),
            )
        return result

    def backward(self, grad_result: Tensor, gradients: LowRankAdapter, *, needs_grad_x: bool) -> Tensor | None:
        """Returns the gradient of ``x``, or None unless ``needs_grad_x``.

        Parameters
        ----------
        grad_result
            The gradient of what ``forward`` returned. It is overwritten.
        gradients
            Its values receive the gradients of the adapter's values.
        needs_grad_x
            False for the first layer: nothing before it is trained.

        Returns
        -------
        Tensor of shape ``(n_tokens, hidden_size)`` or None
        """
        layer = self._layer
        saved_input, saved_attention, saved_middle, saved_mlp = self._saved
        self._saved = None
        gate_up, activated, saved_down = saved_mlp
        grad_activated = layer.down.backward(grad_result, activated, saved_down, gradients)
        middle, inverse_rms_middle, normed_middle, saved_gate_up = saved_middle
        grad_gate_up = layer.activation.backward(grad_activated, gate_up)
        grad_normed_middle = layer.gate_up.backward(grad_gate_up, normed_middle, saved_gate_up, gradients)
        weight = layer.modules.mlp_input_norm.weight
        grad_middle = rms_norm_backward(grad_normed_middle, middle, inverse_rms_middle, weight, add_to=grad_result)
        attended, saved_output = saved_attention
        grad_attended = layer.output.backward(grad_middle, attended, saved_output, gradients)
        x, inverse_rms_x, normed_x, saved_qkv = saved_input
        grad_residual = grad_middle
        if self._output_indices is not None:
            grad_residual = _scatter(grad_residual, self._output_indices, len(x))
            grad_attended = _scatter(grad_attended, self._output_indices, len(x))
        grad_qkv = self._attention.backward(grad_attended)
        self._norm_and_rotate_heads_backward(grad_qkv)
        grad_normed_x = layer.qkv.backward(grad_qkv, normed_x, saved_qkv, gradients, needs_grad_x=needs_grad_x)
        if grad_normed_x is None:
            return None
        weight = layer.modules.input_norm.weight
        return rms_norm_backward(grad_normed_x, x, inverse_rms_x, weight, add_to=grad_residual)

    def _norm_and_rotate_heads(self, qkv: Tensor) -> None:
        """Norms the heads of queries and keys, if the layer does so, and rotates them, in place."""
        modules = self._layer.modules
        heads = modules.heads
        column_ranges = ((0, heads.n_query_heads), (heads.n_query_heads * heads.head_dim, heads.n_kv_heads))
        for norm, (first_column, n_heads) in zip(modules.head_norms, column_ranges, strict=False):
            raw, inverse_rms = norm_heads(qkv, first_column, n_heads, norm.weight, norm.eps)
            self._saved_head_norms.append((first_column, raw, inverse_rms, norm.weight))
        self._context.rotary[self._layer.rotary_type].rotate(qkv)

    def _norm_and_rotate_heads_backward(self, grad_qkv: Tensor) -> None:
        self._context.rotary[self._layer.rotary_type].rotate_back(grad_qkv)
        for first_column, raw, inverse_rms, weight in self._saved_head_norms:
            norm_heads_backward(grad_qkv, first_column, raw, inverse_rms, weight)


def _norm(norm: NormModule, x: Tensor) -> tuple[Tensor, Tensor]:
    return rms_norm(x, norm.weight, norm.eps)


def _scatter(gradient: Tensor, indices: Tensor, n_tokens: int) -> Tensor:
    """The gradient of ``x`` where ``x[indices]`` has the given gradient."""
    return gradient.new_zeros(n_tokens, gradient.shape[1]).index_add_(0, indices, gradient)
