"""The gated SiLU of the MLP with its gradient, and the log-sum-exp of logits, compiled."""

import numpy as np
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Floats, compiled, exponential
from donorgrid.models.fast_cpu.threads import run_in_threads


def gated_silu(gate_up: Tensor) -> Tensor:
    """Computes ``silu(gate) * up`` (Shazeer 2020).

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
        _gated_silu(gate_up_array[start:stop], output_array[start:stop])

    run_in_threads(activate_tokens, len(gate_up_array), n_numbers=2 * gate_up_array.size)
    return output


def gated_silu_backward(grad_output: Tensor, gate_up: Tensor) -> Tensor:
    """Overwrites ``gate_up`` with its gradient and returns it.

    Parameters
    ----------
    grad_output
        The gradient of the output, ``(n_tokens, intermediate_size)``.
    gate_up
        What ``gated_silu`` read.

    Returns
    -------
    ``gate_up``
    """
    grad_array, gate_up_array = grad_output.numpy(), gate_up.numpy()

    def tokens_backward(start: int, stop: int) -> None:
        _gated_silu_backward(grad_array[start:stop], gate_up_array[start:stop])

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
def _sum_exponentials(logits: Floats, largest: Floats, sums: Floats) -> None:
    for number in range(logits.shape[0]):
        row, total = logits[number], np.float32(0.0)
        for index in range(len(row)):
            total += exponential(row[index] - largest[number])
        sums[number] = total
