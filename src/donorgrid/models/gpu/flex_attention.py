"""FlexAttention (Dong et al. 2024, arXiv 2412.05496) as an attention function of transformers' layers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from transformers import AttentionInterface

NAME = "donorgrid_block_mask"
_MOST_KERNELS = 64


@cache
def _compiled() -> Callable[..., Tensor]:
    """FlexAttention's kernel. Without compilation it computes the whole square: right for a test on a CPU only.

    It is compiled for each dtype, number of heads, window, with and without gradients, twice: for the first length, and
    for any length. That is more than torch allows by default, and beyond the limit it would compute the square.
    """
    config = import_module("torch._dynamo").config  # loaded late: a CPU needs no compiler
    config.recompile_limit = max(config.recompile_limit, _MOST_KERNELS)
    compiled: Callable[..., Tensor] = torch.compile(flex_attention)
    return compiled


def _attend(
    _module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: BlockMask | None,
    scaling: float | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """The attention of one layer, in transformers' form: heads first in, (1, n_tokens, n_heads, head_dim) out."""
    if not isinstance(attention_mask, BlockMask):
        raise TypeError("attention by blocks needs a block mask")
    unknown = [name for name in ("softcap", "s_aux", "position_bias") if options.get(name) is not None]
    if unknown or options.get("dropout"):
        raise NotImplementedError(f"attention by blocks with {', '.join(unknown) or 'dropout'}")
    is_plain = query.device.type == "cpu" or torch.compiler.is_compiling()
    attend: Any = flex_attention if is_plain else _compiled()
    output: Tensor = attend(query, key, value, block_mask=attention_mask, scale=scaling, enable_gqa=True)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, _attend)


@contextmanager
def uses_block_masks(network: Any) -> Iterator[None]:
    """While the body runs, the network's layers expect a ``BlockMask`` and compute with FlexAttention.

    Parameters
    ----------
    network
        A transformers causal language model.
    """
    config = network.config.get_text_config()
    former = config._attn_implementation
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = former
