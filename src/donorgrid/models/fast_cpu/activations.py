"""The gated activations of the MLP with their gradients, and the log-sum-exp of logits, compiled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Floats, compiled, exponential, inlined
from donorgrid.models.fast_cpu.threads import run_in_threads

# GELU with tanh (Hendrycks and Gimpel 2016): x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
_GELU_LINEAR = np.float32(1.5957691216057308)
_GELU_CUBIC = np.float32(1.5957691216057308 * 0.044715)


@dataclass(frozen=True, kw_only=True)
class GatedActivation:
    """``activation(gate) * up`` (Shazeer 2020).

    Attributes
    ----------
    forward_tokens
        The compiled loop ``(gate_up, output)``.
    backward_tokens
        The compiled loop ``(grad_output, gate_up)``, which overwrites ``gate_up`` with its gradient.
    """

    forward_tokens: Callable[[Floats, Floats], None]
    backward_tokens: Callable[[Floats, Floats], None]

    def forward(self, gate_up: Tensor) -> Tensor:
        """Computes the gated units.

        Parameters
        ----------
        gate_up
            Gate and up side by side, ``(n_tokens, 2 * intermediate_size)``.

        Returns
        -------
        Tensor of shape ``(n_tokens, intermediate_size)``
        """
        output = gate_up.new_empty(len(gate_up), gate_up.shape[1] // 2)
        gate_up_array, output_array = gate_up.numpy(), output.numpy()

        def activate_tokens(start: int, stop: int) -> None:
            self.forward_tokens(gate_up_array[start:stop], output_array[start:stop])

        run_in_threads(activate_tokens, len(gate_up_array), n_numbers=2 * gate_up_array.size)
        return output

    def backward(self, grad_output: Tensor, gate_up: Tensor) -> Tensor:
        """Overwrites ``gate_up`` with its gradient and returns it.

        Parameters
        ----------
        grad_output
            The gradient of the output, ``(n_tokens, intermediate_size)``.
        gate_up
            What ``forward`` read.

        Returns
        -------
        ``gate_up``
        """
        grad_array, gate_up_array = grad_output.numpy(), gate_up.numpy()

        def tokens_backward(start: int, stop: int) -> None:
            self.backward_tokens(grad_array[start:stop], gate_up_array[start:stop])

        run_in_threads(tokens_backward, len(grad_array), n_numbers=2 * gate_up_array.size)
        return gate_up


def logsumexp_rows(logits: Tensor) -> Tensor:
    """Returns the log-sum-exp of each row of logits, ``(n,)``."""
    sums, largest = logits.new_empty(len(logits)), logits.amax(-1)
    logits_array, largest_array, sums_array = logits.numpy(), largest.numpy(), sums.numpy()

    def sum_rows(start: int, stop: int) -> None:
        _sum_exponentials(logits_array[start:stop], largest_array[start:stop], sums_array[start:stop])

    run_in_threads(sum_rows, len(logits_array), n_numbers=logits_array.size)
    return sums.log_().add_(largest)


@compiled
def _gated_silu(gate_up: Floats, output: Floats) -> None:
    width = output.shape[1]
    for token in range(output.shape[0]):
        for unit in range(width):
            gate = gate_up[token, unit]
            silu = gate / (np.float32(1.0) + exponential(-gate))
            output[token, unit] = silu * gate_up[token, width + unit]


@compiled
def _gated_silu_backward(grad_output: Floats, gate_up: Floats) -> None:
    width = grad_output.shape[1]
    unity = np.float32(1.0)
    for token in range(grad_output.shape[0]):
        for unit in range(width):
            gate, up, grad = gate_up[token, unit], gate_up[token, width + unit], grad_output[token, unit]
            sigmoid = unity / (unity + exponential(-gate))
            gate_up[token, unit] = grad * up * sigmoid * (unity + gate * (unity - sigmoid))
            gate_up[token, width + unit] = grad * gate * sigmoid


@compiled
def _gated_gelu(gate_up: Floats, output: Floats) -> None:
    width = output.shape[1]
    for token in range(output.shape[0]):
        for unit in range(width):
            gate = gate_up[token, unit]
            sigmoid = np.float32(1.0) / (np.float32(1.0) + exponential(-_gelu_argument(gate)))
            output[token, unit] = gate * sigmoid * gate_up[token, width + unit]


@compiled
def _gated_gelu_backward(grad_output: Floats, gate_up: Floats) -> None:
    width = grad_output.shape[1]
    unity = np.float32(1.0)
    for token in range(grad_output.shape[0]):
        for unit in range(width):
            gate, up, grad = gate_up[token, unit], gate_up[token, width + unit], grad_output[token, unit]
            sigmoid = unity / (unity + exponential(-_gelu_argument(gate)))
            slope = _GELU_LINEAR + np.float32(3.0) * _GELU_CUBIC * gate * gate
            gate_up[token, unit] = grad * up * sigmoid * (unity + gate * slope * (unity - sigmoid))
            gate_up[token, width + unit] = grad * gate * sigmoid


@inlined
def _gelu_argument(gate: np.float32) -> np.float32:
    """The tanh approximation of GELU is ``x * sigmoid(this)``, as ``(1 + tanh(u)) / 2 = sigmoid(2 u)``."""
    return gate * (_GELU_LINEAR + _GELU_CUBIC * gate * gate)


@compiled
def _sum_exponentials(logits: Floats, largest: Floats, sums: Floats) -> None:
    for number in range(logits.shape[0]):
        row, total = logits[number], np.float32(0.0)
        for index in range(len(row)):
            total += exponential(row[index] - largest[number])
        sums[number] = total


_SILU = GatedActivation(forward_tokens=_gated_silu, backward_tokens=_gated_silu_backward)
_GELU_TANH = GatedActivation(forward_tokens=_gated_gelu, backward_tokens=_gated_gelu_backward)
GATED_ACTIVATIONS = {"SiLU": _SILU, "SiLUActivation": _SILU, "GELUTanh": _GELU_TANH}
"""By the class name of transformers' activation module."""
