"""A second network over the weights of a resident one: PEFT may wrap and resize it, and the base stays as it is."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from peft.utils.other import ModulesToSaveWrapper
from torch import nn


def copy_sharing_weights(network: Any) -> Any:
    """Copies the modules and the configuration of a network, but no weight.

    Each parameter of the copy is a new one over the same memory, and weights that are tied stay tied. Assigning to a
    parameter's ``data`` leaves the base alone; writing into it does not (``separate_weights``).

    Parameters
    ----------
    network
        A transformers model without hooks.

    Returns
    -------
    transformers.PreTrainedModel
        In eval mode, without gradients.
    """
    shared: dict[int, Any] = {id(buffer): buffer for buffer in network.buffers()}
    for parameter in network.parameters():
        shared[id(parameter)] = nn.Parameter(parameter.data, requires_grad=False)
    return copy.deepcopy(network, shared).eval()


def separate_weights(network: Any, names: Iterable[str]) -> None:
    """Gives parameters memory of their own, so that they can be written into.

    Parameters
    ----------
    network
        A copy that shares its weights.
    names
        Names of parameters. Tied ones stay tied.
    """
    parameters = dict(network.named_parameters(remove_duplicate=False))
    for parameter in {id(parameters[name]): parameters[name] for name in names}.values():
        parameter.data = parameter.data.clone()


def resize_vocabulary(network: Any, n_rows: int) -> None:
    """Gives the embeddings of a copy another number of rows, in memory of their own.

    New rows hold the mean of the former ones. transformers adds noise to that mean; here every call gives the same.

    Parameters
    ----------
    network
        A copy that shares its weights.
    n_rows
        The new size of the vocabulary.
    """
    n_before = network.get_input_embeddings().weight.shape[0]
    network.resize_token_embeddings(n_rows, mean_resizing=False)
    if n_rows > n_before:
        with torch.no_grad():
            for layer in (network.get_input_embeddings(), network.get_output_embeddings()):
                layer.weight[n_before:] = layer.weight[:n_before].mean(0)
    network.requires_grad_(False)


def tie_to_saved_embedding(network: Any) -> None:
    """Ties the head of a tied network to the embedding that an adapter brings (``modules_to_save``), as lm-eval does.

    PEFT alone leaves the head tied to the base's embedding. A head that the adapter changes is left alone.

    Parameters
    ----------
    network
        A copy that PEFT has wrapped.
    """
    embedding, head = network.get_input_embeddings(), network.get_output_embeddings()
    is_tied = network.config.get_text_config().tie_word_embeddings
    if is_tied and isinstance(embedding, ModulesToSaveWrapper) and type(head) is nn.Linear:
        head.weight = embedding.weight
