"""What CUDA graphs could save: a batch read with all its launches against the replay of a recorded graph."""

from typing import Any

import torch

from donorgrid.models.gpu.trial import embedding_gradient, trial_batch
from donorgrid.models.gpu.ways import DenseMasks
from donorgrid.models.rows import RowBatch
from gpu_kit.correctness import n_words_of, shape_of
from gpu_kit.machine import shortest
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import make_base, make_network
from gpu_kit.work import encoded_texts

_MOST_TOKENS_WITH_GRADIENT = 4096
_N_TOKENS = {"a scoring batch": 32768, "a training batch of one adapter": 1024}


def launches(name: str, settings: Settings, report: Report) -> None:
    """Seconds with launches and by replay, for a large batch forward and for a small one."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    texts = [text.token_ids for text in encoded_texts("hellaswag", 32, n_words=n_words_of(shape))]
    report(model=name)
    way = _way(network, texts)
    for label, n_tokens in _N_TOKENS.items():
        batch = trial_batch(texts, n_tokens=256 if settings.tiny else n_tokens)
        report(**{label: {"tokens": int(batch.lengths.sum()), **_measured(network, way, batch, settings.device)}})
    report(ok=True)


def _measured(network: Any, way: DenseMasks, batch: RowBatch, device: str) -> dict[str, float]:
    found = {}
    with torch.inference_mode():
        found["forward, seconds"] = shortest(lambda: way.hidden_states(batch), device)
        if device != "cpu":
            found |= _replayed(network, batch, device)
    if batch.input_ids.numel() <= _MOST_TOKENS_WITH_GRADIENT:
        found["forward and backward, seconds"] = shortest(lambda: embedding_gradient(network, way, batch), device)
    return found


def _way(network: Any, texts: list[tuple[int, ...]]) -> DenseMasks:
    reader = make_base(network).reader
    reader.check(texts)
    return DenseMasks(network, reader._mask_form)


def _replayed(network: Any, batch: RowBatch, device: str) -> dict[str, float]:
    """The layers alone on the same tokens under a causal mask: launched, and by replay of a recorded graph."""
    ids, decoder = batch.input_ids.to(device), network.get_decoder()

    def read() -> Any:
        return decoder(input_ids=ids, use_cache=False)

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        launched = shortest(read, device)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        read()
    return {"causal, launched, seconds": launched, "causal, by replay, seconds": shortest(graph.replay, device)}
