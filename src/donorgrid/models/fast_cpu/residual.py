"""The linear module whose output is added to the residual stream, after a norm in some architectures."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.architectures import NormModule
from donorgrid.models.fast_cpu.linear import JoinedLinear
from donorgrid.models.fast_cpu.norms import rms_norm, rms_norm_backward
from donorgrid.models.low_rank import LowRankAdapter


class ResidualLinear:
    """``residual + linear(x)``, or ``residual + norm(linear(x))``.

    Parameters
    ----------
    names, modules
        The name and the linear module, as ``JoinedLinear`` takes them: one of each.
    norm
        The norm of the module's output, or None.
    in_bf16
        As in ``JoinedLinear``.
    """

    def __init__(
        self, names: Sequence[str], modules: Sequence[Any], norm: NormModule | None, *, in_bf16: bool = False
    ) -> None:
        self._linear = JoinedLinear(names, modules, in_bf16=in_bf16)
        self._norm = norm

    def prepare(self) -> None:
        """Takes over weights that were replaced (``JoinedLinear.prepare``)."""
        self._linear.prepare()

    def forward(
        self, x: Tensor, adapter: LowRankAdapter | None, *, residual: Tensor, in_place: bool
    ) -> tuple[Tensor, Any]:
        """Computes the sum.

        Parameters
        ----------
        x
            ``(n_tokens, n_in)``.
        adapter
            The active adapter, or None.
        residual
            ``(n_tokens, n_out)``.
        in_place
            Whether ``residual`` may be overwritten.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_out)``, and what ``backward`` needs
        """
        if self._norm is None:
            return self._linear.forward(x, adapter, residual=residual, in_place=in_place)
        y, saved = self._linear.forward(x, adapter)
        normed, inverse_rms = rms_norm(y, self._norm.weight, self._norm.eps)
        return normed.add_(residual), (saved, y, inverse_rms)

    def backward(self, grad_sum: Tensor, x: Tensor, saved: Any, gradients: LowRankAdapter) -> Tensor:
        """Returns the gradient of ``x`` and writes those of the adapter. That of ``residual`` is ``grad_sum``.

        Parameters
        ----------
        grad_sum
            The gradient of the sum, ``(n_tokens, n_out)``.
        x, saved
            What ``forward`` read and returned.
        gradients
            Its values receive the gradients of the adapter's values.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_in)``
        """
        if self._norm is None:
            return self._linear.backward(grad_sum, x, saved, gradients)
        saved, y, inverse_rms = saved
        grad_y = rms_norm_backward(grad_sum, y, inverse_rms, self._norm.weight, add_to=torch.zeros_like(y))
        return self._linear.backward(grad_y, x, saved, gradients)
