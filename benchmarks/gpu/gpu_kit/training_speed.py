"""How fast adapters are trained, several at once, with square masks and with block masks."""

import time
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import torch

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.gpu.ways import WayName
from donorgrid.models.loading import Base
from donorgrid.models.memory import out_of_memory
from donorgrid.train.encode import Corpus
from donorgrid.train.methods import train_runs
from gpu_kit.correctness import n_words_of, scale_of, shape_of
from gpu_kit.machine import card, peak_gib, reset_peak, wait
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import Shape, make_base, make_network, n_layer_weights
from gpu_kit.work import TASKS, encoded_texts

_SIZES = {
    "qwen2.5-0.5b": (1, 4, 8, 16, 32),
    "llama-3.2-1b": (1, 4, 8, 16, 32),
    "llama-3.2-3b": (1, 4, 8, 16),
    "llama-3.1-8b": (1, 4, 8),
}
_WAYS: tuple[WayName, ...] = ("dense masks", "block masks")
_WORTHWHILE = 0.97
_FEW = 4


def training_speed(name: str, settings: Settings, report: Report) -> None:
    """Seconds per adapter, by how many are trained at once, with square masks and with block masks.

    Each number is trained for one epoch and for two: the difference is an epoch, the rest is fixed (PEFT's modules and
    first weights, the self-check). Both ways are tried with few adapters; the better way goes on with more.
    """
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    report(model=name, precision="bf16", card=card(settings.device), **n_texts(settings))
    sizes = (1, 2) if settings.tiny else _SIZES[name]
    found: dict[WayName, dict[str, Any]] = {way: {} for way in _WAYS}
    best: _Best | None = None
    for size in sizes[:2]:
        for way in _WAYS:
            best = _measure(found, network, shape, size, way, settings, best, report)
    if best is None:
        report(ok=False)
        return
    for size in sizes[2:]:
        former = best
        best = _measure(found, network, shape, size, best.way, settings, best, report)
        if best is former and size > _FEW:
            break
    report(ok=True)


@dataclass(frozen=True)
class _Best:
    way: WayName
    seconds: float


def _measure(
    found: dict[WayName, dict[str, Any]],
    network: Any,
    shape: Shape,
    size: int,
    way: WayName,
    settings: Settings,
    best: _Best | None,
    report: Report,
) -> _Best | None:
    """Trains ``size`` adapters at once, reports it, and gives the best way so far."""
    measured = _one_size(network, shape, size, way, settings)
    found[way][str(size)] = measured
    report(**{f"{way}, by adapters at once": found[way]})
    seconds = measured.get("seconds per adapter and epoch")
    if seconds is None or measured["way"] != way or (best and seconds >= _WORTHWHILE * best.seconds):
        return best
    fixed = measured["fixed seconds per adapter"]
    report(best_group=size, best_way=way, seconds_per_adapter_and_epoch=seconds, fixed_seconds_per_adapter=fixed)
    return _Best(way, seconds)


def _one_size(network: Any, shape: Shape, size: int, way: WayName, settings: Settings) -> dict[str, Any]:
    """One epoch and two of ``size`` adapters at once."""
    reset_peak(settings.device)
    corpora = [corpus_of(shape, task, settings, seed) for seed, task in enumerate(islice(cycle(TASKS), size))]
    base = make_base(network, way)
    try:
        _train(base, corpora, 1)  # compiles
        one, two = (_seconds(base, corpora, n_epochs, settings.device) for n_epochs in (1, 2))
    except RuntimeError as error:
        if not out_of_memory(error):
            return {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"}
        return {"error": "out of memory", "peak memory, GiB": peak_gib(settings.device)}
    n_tokens = sum(len(text.input_ids) for corpus in corpora for text in corpus.train)
    return {
        "seconds per adapter and epoch": (two - one) / size,
        "fixed seconds per adapter": max(0.0, 2 * one - two) / size,
        "training tokens per second": n_tokens / (two - one),
        "operations per second": 4.0 * n_tokens * n_layer_weights(network) / (two - one),
        "peak memory, GiB": peak_gib(settings.device),
        "way": base.reader.chosen_ways.get("training", "dense masks"),
    }


def _seconds(base: Base, corpora: list[Corpus], n_epochs: int, device: str) -> float:
    wait(device)
    start = time.perf_counter()
    _train(base, corpora, n_epochs)
    wait(device)
    return time.perf_counter() - start


def _train(base: Base, corpora: list[Corpus], n_epochs: int) -> None:
    recipe = recipe_of_epochs(n_epochs)
    for result in train_runs(base, corpora, recipe, train_seeds=range(len(corpora))):
        if isinstance(result, RunFailure):
            raise result


def n_texts(settings: Settings) -> dict[str, int]:
    """Texts of one measured epoch: eight steps, and the validation after them."""
    return {"texts": 16, "validation_texts": 2} if settings.tiny else {"texts": 64, "validation_texts": 8}


def recipe_of_epochs(n_epochs: int) -> Recipe:
    """The paper's recipe, for so many epochs."""
    return Recipe(name="kit", epochs=n_epochs, batch_size=8)


def corpus_of(shape: Shape, task: str, settings: Settings, seed: int) -> Corpus:
    """The texts of one measured epoch of a task."""
    n_train, n_validation = n_texts(settings).values()
    n = n_train + n_validation
    texts = encoded_texts(task, n, n_words=n_words_of(shape), seed=seed, scale=scale_of(settings))
    return Corpus(train=texts[:n_train], validation=texts[n_train:])
