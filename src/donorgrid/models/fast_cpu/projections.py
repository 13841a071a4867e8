"""The projection of hidden states to queries, keys and values, side by side in one tensor, and its gradients."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from donorgrid.models.fast_cpu.linear import JoinedLinear
from donorgrid.models.low_rank import LowRankAdapter


class QKVProjection:
    """Queries, keys and values of all tokens, as one product.

    Parameters
    ----------
    names, modules
        The names and the linear modules of query, key and value; or of one module whose output is all three.
    in_bf16
        As in ``JoinedLinear``.
    """

    def __init__(self, names: Sequence[str], modules: Sequence[Any], *, in_bf16: bool = False) -> None:
        self._linear = JoinedLinear(names, modules, in_bf16=in_bf16)

    def prepare(self) -> None:
        """Takes over weights that were replaced (``JoinedLinear.prepare``)."""
        self._linear.prepare()

    def forward(self, x: Tensor, query_indices: Tensor, adapter: LowRankAdapter | None) -> tuple[Tensor, Any]:
        """Projects hidden states.

        Parameters
        ----------
        x
            Normed hidden states, ``(n_tokens, hidden_size)``.
        query_indices
            The tokens whose queries are needed, each once. This class computes the queries of all tokens.
        adapter
            The active adapter, or None.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_qkv_columns)``, and what ``backward`` needs
        """
        del query_indices
        return self._linear.forward(x, adapter)

    def backward(
        self, grad_qkv: Tensor, x: Tensor, saved: Any, gradients: LowRankAdapter, *, needs_grad_x: bool
    ) -> Tensor | None:
        """Returns the gradient of ``x``, or None unless ``needs_grad_x``, and writes those of the adapter.

        Parameters
        ----------
        grad_qkv
            The gradient of the output, ``(n_tokens, n_qkv_columns)``.
        x, saved
            What ``forward`` read and returned.
        gradients
            Its values receive the gradients of the adapter's values.
        needs_grad_x
            False in the first layer that is trained.

        Returns
        -------
        Tensor of shape ``(n_tokens, hidden_size)`` or None
        """
        if needs_grad_x:
            return self._linear.backward(grad_qkv, x, saved, gradients)
        self._linear.backward_adapter(grad_qkv, x, saved, gradients)
        return None


class LastLayerQKVProjection:
    """The projection of the last layer: queries only for the tokens whose hidden state is needed, 0 for the others.

    Parameters
    ----------
    names, modules
        The names and the linear modules of query, key and value: three of each.
    in_bf16
        As in ``JoinedLinear``.
    """

    def __init__(self, names: Sequence[str], modules: Sequence[Any], *, in_bf16: bool = False) -> None:
        self._query = JoinedLinear(names[:1], modules[:1], in_bf16=in_bf16)
        self._key_value = JoinedLinear(names[1:], modules[1:], in_bf16=in_bf16)
        self._n_query_columns = modules[0].out_features

    def prepare(self) -> None:
        """Takes over weights that were replaced (``JoinedLinear.prepare``)."""
        self._query.prepare()
        self._key_value.prepare()

    def forward(self, x: Tensor, query_indices: Tensor, adapter: LowRankAdapter | None) -> tuple[Tensor, Any]:
        """Projects hidden states. Parameters and results are those of ``QKVProjection.forward``."""
        key_value, saved_key_value = self._key_value.forward(x, adapter)
        x_of_queries = x[query_indices]
        query, saved_query = self._query.forward(x_of_queries, adapter)
        qkv = x.new_empty(len(x), self._n_query_columns + key_value.shape[1])
        qkv[:, : self._n_query_columns] = 0.0
        qkv[query_indices, : self._n_query_columns] = query
        qkv[:, self._n_query_columns :] = key_value
        return qkv, (query_indices, x_of_queries, saved_query, saved_key_value)

    def backward(
        self, grad_qkv: Tensor, x: Tensor, saved: Any, gradients: LowRankAdapter, *, needs_grad_x: bool
    ) -> Tensor | None:
        """Returns the gradient of ``x``. Parameters and results are those of ``QKVProjection.backward``."""
        query_indices, x_of_queries, saved_query, saved_key_value = saved
        grad_query = grad_qkv[query_indices, : self._n_query_columns]
        grad_key_value = grad_qkv[:, self._n_query_columns :]
        if needs_grad_x:
            grad_x = self._key_value.backward(grad_key_value, x, saved_key_value, gradients)
            grad_x_of_queries = self._query.backward(grad_query, x_of_queries, saved_query, gradients)
            return grad_x.index_add_(0, query_indices, grad_x_of_queries)
        self._key_value.backward_adapter(grad_key_value, x, saved_key_value, gradients)
        self._query.backward_adapter(grad_query, x_of_queries, saved_query, gradients)
        return None
