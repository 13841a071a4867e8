"""Which way is fastest on this machine, by a short trial; and whether a way's gradients are those of the reference."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.gpu.ways import Way
from donorgrid.models.rows import RowBatch, Tokens, packed_row, pad_rows

# The reference stays unless another way takes less than this share of its time.
_WORTHWHILE = 0.9
_N_TIMED = 3
_ROW_TOKENS = 512


def trial_batch(sequences: Iterable[Tokens], *, n_tokens: int) -> RowBatch:
    """Rows of about equal length to time ways on, made of sequences that are repeated until there are enough.

    Parameters
    ----------
    sequences
        One or more.
    n_tokens
        The batch has at least so many tokens.

    Returns
    -------
    RowBatch
        On the CPU.
    """
    rows: list[list[Tokens]] = [[]]
    total = in_row = 0
    for sequence in cycle(sequences):
        rows[-1].append(sequence)
        total, in_row = total + len(sequence), in_row + len(sequence)
        if total >= n_tokens:
            break
        if in_row >= _ROW_TOKENS:
            rows.append([])
            in_row = 0
    return pad_rows([packed_row(row) for row in rows])


def fastest(ways: Sequence[Way], run: Callable[[Way], object], *, device: torch.device) -> Way:
    """The fastest of several ways.

    Parameters
    ----------
    ways
        The first is the reference: another one must be a tenth faster.
    run
        Does the work that is timed.
    device
        Where the work is done.

    Returns
    -------
    Way
        One of ``ways``.
    """
    seconds = [_seconds(lambda way=way: run(way), device) for way in ways]  # type: ignore[misc]
    best = min(range(len(ways)), key=seconds.__getitem__)
    return ways[best] if seconds[best] < _WORTHWHILE * seconds[0] else ways[0]


def embedding_gradient(network: Any, way: Way, batch: RowBatch) -> Tensor:
    """The gradient of a fixed random sum of a batch's hidden states, at the embeddings' output.

    Parameters
    ----------
    network
        A transformers causal language model.
    way
        Reads the batch.
    batch
        Rows of tokens.

    Returns
    -------
    Tensor
        (n_rows * length, hidden_size), float32.
    """
    outputs: list[Tensor] = []

    def keep(_module: object, _arguments: object, output: Tensor) -> Tensor:
        outputs.append(output.detach().requires_grad_())
        return outputs[-1]

    hook = network.get_input_embeddings().register_forward_hook(keep)
    try:
        with torch.enable_grad():
            hidden = way.hidden_states(batch).flatten(0, 1)
            generator = torch.Generator(device=hidden.device).manual_seed(0)
            factors = torch.randn(hidden.shape, generator=generator, device=hidden.device)
            (gradient,) = torch.autograd.grad((hidden.float() * factors).sum(), outputs)
    finally:
        hook.remove()
    return gradient.flatten(0, 1).float()


def relative_gap(values: Tensor, reference: Tensor) -> float:
    """The L2 norm of a difference, by that of the reference.

    Parameters
    ----------
    values, reference
        Of one shape.

    Returns
    -------
    float
        0 where both are equal; NaN where either has a NaN.
    """
    return float((values - reference).norm() / reference.norm())


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The shortest of a few repeats, after one that may compile."""
    repeats = []
    for _ in range(_N_TIMED + 1):
        _wait(device)
        start = time.perf_counter()
        work()
        _wait(device)
        repeats.append(time.perf_counter() - start)
    return min(repeats[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
