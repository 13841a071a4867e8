"""Loads an adapter by PEFT into a copy of the base, or says in one line why it cannot be used."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModelForCausalLM, PeftType

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, read_config
from donorgrid.models.peft_adapters.completeness import check_complete, check_finite
from donorgrid.models.peft_adapters.key_names import without_adapter_names
from donorgrid.models.peft_adapters.refusals import refusal
from donorgrid.models.peft_adapters.shared_copies import (
    copy_sharing_weights,
    resize_vocabulary,
    separate_weights,
    tie_to_saved_embedding,
)
from donorgrid.models.peft_adapters.vocabulary import overwritten_weights, vocabulary_rows
from donorgrid.models.refusals import first_line, refusals_of_files
from donorgrid.models.safetensors_headers import tensor_shapes

_LOG = logging.getLogger("donorgrid")
_SEED = 1234  # lm-eval's
_DRAWN_AT_LOADING = "pissa_niter"


class _StrictModel(PeftModelForCausalLM):  # type: ignore[misc]
    """Keeps what PEFT found when it loaded the weights: ``from_pretrained`` drops it."""

    load_result: Any = None

    def __init__(self, model: Any, peft_config: Any, *args: Any, **kwargs: Any) -> None:
        peft_config.task_type = peft_config.stated_task_type
        super().__init__(model, peft_config, *args, **kwargs)

    def load_adapter(self, model_id: str, *args: Any, **kwargs: Any) -> Any:
        """Loads the weights; where PEFT cannot place them, again without the adapters' names in their keys."""
        named = without_adapter_names(tensor_shapes(Path(model_id) / ADAPTER_WEIGHTS), self.state_dict())
        try:
            self.load_result = super().load_adapter(model_id, *args, **kwargs)
        except KeyError:
            if not named:
                raise
        if named and (self.load_result is None or self.load_result.unexpected_keys):
            self.load_result = super().load_adapter(model_id, *args, **{**kwargs, "key_mapping": named})
        return self.load_result


def load_by_peft(network: Any, folder: Path, *, n_tokens: int) -> Any:
    """Loads an adapter into a copy of the base that shares its weights.

    A vocabulary that was resized before the training is resized here: to the rows that the adapter's files hold, or to
    the tokenizer's where it knows more tokens than the base has rows. That costs a copy of the embeddings.

    Parameters
    ----------
    network
        The base's network, which stays as it is.
    folder
        An adapter in PEFT's format.
    n_tokens
        The number of tokens that the tokenizer knows.

    Returns
    -------
    PeftModelForCausalLM
        In eval mode.

    Raises
    ------
    InputError
        PEFT refuses the adapter, a tensor is missing, of no use or not finite, or its method needs more than the
        modules of the network; one line.
    """
    shapes = tensor_shapes(folder / ADAPTER_WEIGHTS, whole=True)
    with refusals_of_files(f"adapter '{folder}'", refusal):
        check_finite(folder)
    kind = read_config(folder).get("peft_type")
    if not isinstance(kind, str) or kind not in PeftType.__members__:
        raise InputError(f"adapter '{folder}': its peft_type is {kind!r}; this PEFT knows {list(PeftType.__members__)}")
    with refusals_of_files(f"adapter '{folder}'", refusal):
        config = _read_config(folder)
        _check_method(folder, config)
        copied = copy_sharing_weights(network)
        n_rows = vocabulary_rows(copied, shapes, config, n_tokens)
        if n_rows != copied.get_input_embeddings().weight.shape[0]:
            resize_vocabulary(copied, n_rows)
        separate_weights(copied, overwritten_weights(copied, shapes, config))
        # With a task type PEFT chooses the class itself.
        config.stated_task_type, config.task_type = config.task_type, None
        with warnings.catch_warnings(), _seeded(copied.device):
            warnings.simplefilter("ignore")
            adapted = _StrictModel.from_pretrained(copied, str(folder), config=config)
    check_complete(folder, adapted)
    tie_to_saved_embedding(copied)
    return adapted.eval()


@contextmanager
def _seeded(device: torch.device) -> Iterator[None]:
    """Fixes the random numbers that some methods draw when PEFT loads them."""
    with torch.random.fork_rng([] if device.type == "cpu" else [device]):
        torch.manual_seed(_SEED)
        yield


def _read_config(folder: Path) -> Any:
    """PEFT's configuration; a warning says which keys this version of PEFT does not know and leaves out."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        config = PeftConfig.from_pretrained(str(folder))
    for warning in said:
        _LOG.warning("adapter '%s': %s", folder, first_line(warning.message))
    if str(getattr(config, "init_lora_weights", None)).startswith(_DRAWN_AT_LOADING):
        _LOG.warning(
            "adapter '%s': init_lora_weights %s draws random numbers whenever PEFT loads it; the seed is lm-eval's, %d",
            *(folder, config.init_lora_weights, _SEED),
        )
    return config


def _check_method(folder: Path, config: Any) -> None:
    """InputError for methods that compute more than the modules of the network."""
    if config.is_prompt_learning:
        raise InputError(
            f"adapter '{folder}': {config.peft_type.value} puts tokens or keys of its own before each text; allowed "
            "are methods that change the network's modules, such as LORA, or a merged checkpoint"
        )
    if config.peft_type == PeftType.XLORA:
        raise InputError(f"adapter '{folder}': XLORA mixes adapters of other folders; that is not supported")
    if getattr(config, "alora_invocation_tokens", None):
        raise InputError(
            f"adapter '{folder}': alora_invocation_tokens (activated LoRA) changes a text only after some tokens; "
            "that is not supported"
        )
    if getattr(config, "megatron_config", None):
        raise InputError(f"adapter '{folder}': megatron_config is for models of Megatron; that is not supported")
