"""RMS norms of whole tokens and of single heads, with their gradients, compiled.

Tensors are ``(n_tokens, width)``, float32, contiguous.
"""

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Floats, compiled
from donorgrid.models.fast_cpu.threads import run_in_threads


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Computes ``x / rms(x) * weight`` over the last dimension.

    Parameters
    ----------
    x
        ``(n_tokens, width)``.
    weight
        ``(width,)``.
    eps
        Added to the mean square.

    Returns
    -------
    The normed tokens, ``(n_tokens, width)``, and ``1 / rms``, ``(n_tokens, 1)``

    References
    ----------
    Zhang and Sennrich (2019), Root Mean Square Layer Normalization, equation 4.
    """
    normed, inverse_rms = torch.empty_like(x), x.new_empty(len(x), 1)
    _norm_columns(x, 0, weight, eps, normed, inverse_rms)
    return normed, inverse_rms


def rms_norm_backward(grad_normed: Tensor, x: Tensor, inverse_rms: Tensor, weight: Tensor, *, add_to: Tensor) -> Tensor:
    """Adds the gradient of ``x`` to ``add_to``, in place.

    Parameters
    ----------
    grad_normed
        The gradient of the normed tokens, ``(n_tokens, width)``.
    x, inverse_rms, weight
        What ``rms_norm`` read and returned.
    add_to
        ``(n_tokens, width)``.

    Returns
    -------
    ``add_to``
    """
    _norm_columns_backward(grad_normed, 0, x, inverse_rms, weight, add_to, 1.0)
    return add_to


def norm_heads(x: Tensor, first_column: int, n_heads: int, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Norms adjacent heads of each token, each head by itself, in place.

    Parameters
    ----------
    x
        ``(n_tokens, width)``.
    first_column
        The first column of the first head.
    n_heads
        The number of heads. Each has ``len(weight)`` columns.
    weight, eps
        As in ``rms_norm``.

    Returns
    -------
    The heads before the norm, ``(n_tokens, n_heads * head_dim)``, and ``1 / rms``, ``(n_tokens, n_heads)``
    """
    raw = x[:, first_column : first_column + n_heads * len(weight)].contiguous()
    inverse_rms = x.new_empty(len(x), n_heads)
    _norm_columns(raw, first_column, weight, eps, x, inverse_rms)
    return raw, inverse_rms


def norm_heads_backward(grad: Tensor, first_column: int, raw: Tensor, inverse_rms: Tensor, weight: Tensor) -> None:
    """Turns the gradient of the normed heads into that of the heads before the norm, in place.

    Parameters
    ----------
    grad
        ``(n_tokens, width)``.
    first_column, weight
        As in ``norm_heads``.
    raw, inverse_rms
        What ``norm_heads`` returned.
    """
    _norm_columns_backward(grad, first_column, raw, inverse_rms, weight, grad, 0.0)


def _norm_columns(x: Tensor, first_column: int, weight: Tensor, eps: float, normed: Tensor, inverse: Tensor) -> None:
    x_array, weight_array, normed_array, inverse_array = (
        x.numpy(), weight.detach().numpy(), normed.numpy(), inverse.numpy()
    )  # fmt: skip

    def norm_tokens(start: int, stop: int) -> None:
        _norm(x_array[start:stop], first_column, weight_array, eps, normed_array[start:stop], inverse_array[start:stop])

    run_in_threads(norm_tokens, len(x_array), n_numbers=2 * x_array.size)


def _norm_columns_backward(
    grad: Tensor, first_column: int, x: Tensor, inverse: Tensor, weight: Tensor, total: Tensor, keep: float
) -> None:
    grad_array, x_array, total_array = grad.numpy(), x.numpy(), total.numpy()
    inverse_array, weight_array = inverse.numpy(), weight.detach().numpy()

    def tokens_backward(start: int, stop: int) -> None:
        tokens = slice(start, stop)
        _norm_backward(
            grad_array[tokens], first_column, x_array[tokens], inverse_array[tokens], weight_array, total_array[tokens],
            keep,
        )  # fmt: skip

    run_in_threads(tokens_backward, len(x_array), n_numbers=3 * x_array.size)


@compiled
def _norm(x: Floats, first_column: int, weight: Floats, eps: float, normed: Floats, inverse_rms: Floats) -> None:
    """Norms each ``len(weight)`` columns of ``x`` into the columns of ``normed`` from ``first_column`` on."""
    size = len(weight)
    for token in range(x.shape[0]):
        for head in range(inverse_rms.shape[1]):
            head_x = x[token, head * size : (head + 1) * size]
            head_normed = normed[token, first_column + head * size : first_column + (head + 1) * size]
            squares = np.float32(0.0)
            for index in range(size):
                squares += head_x[index] * head_x[index]
            inverse = np.float32(1.0 / np.sqrt(squares / size + eps))
            inverse_rms[token, head] = inverse
            for index in range(size):
                head_normed[index] = head_x[index] * inverse * weight[index]


@compiled
def _norm_backward(
    grad: Floats, first_column: int, x: Floats, inverse_rms: Floats, weight: Floats, total: Floats, keep: float
) -> None:
    """Computes ``total = keep * total + gradient of x`` in the columns of ``total`` from ``first_column`` on.

    ``grad`` holds the gradient of the normed values in the same columns. ``total`` may be ``grad`` itself.
    """
    size, factor = len(weight), np.float32(keep)
    for token in range(x.shape[0]):
        for head in range(inverse_rms.shape[1]):
            head_x = x[token, head * size : (head + 1) * size]
            head_grad = grad[token, first_column + head * size : first_column + (head + 1) * size]
            head_total = total[token, first_column + head * size : first_column + (head + 1) * size]
            along_x = np.float32(0.0)
            for index in range(size):
                along_x += head_grad[index] * weight[index] * head_x[index]
            inverse = inverse_rms[token, head]
            along_x *= -inverse * inverse * inverse / np.float32(size)
            for index in range(size):
                head_total[index] = (
                    factor * head_total[index] + head_grad[index] * weight[index] * inverse + head_x[index] * along_x
                )
