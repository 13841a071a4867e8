"""How fast adapters are trained, several at once, with square masks and with block masks."""

from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import torch

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.gpu.ways import WayName
from donorgrid.models.memory import out_of_memory
from donorgrid.train.encode import Corpus
from donorgrid.train.methods import train_runs
from gpu_kit.correctness import n_words_of, scale_of, shape_of
from gpu_kit.machine import card, peak_gib, reset_peak, shortest
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import Shape, make_base, make_network, n_layer_weights
from gpu_kit.work import TASKS, encoded_texts

_SIZES = {
    "qwen2.5-0.5b": (1, 4, 8, 16, 32),
    "llama-3.2-1b": (1, 4, 8, 16, 32),
    "llama-3.2-3b": (1, 4, 8, 16),
    "llama-3.1-8b": (1, 4, 8),
}
_WORTHWHILE = 0.97


def training_speed(name: str, settings: Settings, report: Report) -> None:
    """Seconds per adapter of one epoch, by how many are trained at once; then the best number with block masks."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    report(model=name, precision="bf16", card=card(settings.device), **n_texts(settings))
    best: tuple[float, int, WayName] | None = None
    per_adapter: dict[str, Any] = {}
    for size in (1, 2) if settings.tiny else _SIZES[name]:
        found = _one_size(network, shape, size, "dense masks", settings)
        per_adapter[str(size)] = found
        report(**{"square masks, by adapters at once": per_adapter})
        if "seconds per adapter" not in found:
            break
        seconds = found["seconds per adapter"]
        is_better = best is None or seconds < _WORTHWHILE * best[0]
        if is_better:
            best = seconds, size, "dense masks"
            report(best_group=size, best_way="dense masks", seconds_per_adapter=seconds)
        elif size > 4:
            break
    if best is None:
        report(ok=False)
        return
    found = _one_size(network, shape, best[1], "block masks", settings)
    report(**{f"block masks, {best[1]} at once": found})
    if found.get("seconds per adapter", best[0]) < best[0]:
        report(best_way="block masks", seconds_per_adapter=found["seconds per adapter"])
    report(ok=True)


def _one_size(network: Any, shape: Shape, size: int, way: WayName, settings: Settings) -> dict[str, Any]:
    """One epoch of ``size`` adapters at once."""
    reset_peak(settings.device)
    corpora = [corpus_of(shape, task, settings, seed) for seed, task in enumerate(islice(cycle(TASKS), size))]
    base = make_base(network, way)
    try:
        seconds = shortest(_training(base, corpora), settings.device, repeats=1)
    except RuntimeError as error:
        if not out_of_memory(error):
            return {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"}
        return {"error": "out of memory", "peak memory, GiB": peak_gib(settings.device)}
    n_tokens = sum(len(text.input_ids) for corpus in corpora for text in corpus.train)
    return {
        "seconds per adapter": seconds / size,
        "training tokens per second": n_tokens / seconds,
        "operations per second": 4.0 * n_tokens * n_layer_weights(network) / seconds,
        "peak memory, GiB": peak_gib(settings.device),
        "way": base.reader.chosen_ways.get("training", "dense masks"),
    }


def _training(base: Any, corpora: list[Corpus]) -> Callable[[], None]:
    def train() -> None:
        for result in train_runs(base, corpora, recipe_of_epoch(), train_seeds=range(len(corpora))):
            if isinstance(result, RunFailure):
                raise result

    return train


def n_texts(settings: Settings) -> dict[str, int]:
    """Texts of one measured epoch: eight steps, and the validation after them."""
    return {"texts": 16, "validation_texts": 2} if settings.tiny else {"texts": 64, "validation_texts": 8}


def recipe_of_epoch() -> Recipe:
    """The paper's recipe, for one epoch."""
    return Recipe(name="kit", epochs=1, batch_size=8)


def corpus_of(shape: Shape, task: str, settings: Settings, seed: int) -> Corpus:
    """The texts of one measured epoch of a task."""
    n_train, n_validation = n_texts(settings).values()
    n = n_train + n_validation
    texts = encoded_texts(task, n, n_words=n_words_of(shape), seed=seed, scale=scale_of(settings))
    return Corpus(train=texts[:n_train], validation=texts[n_train:])
