"""How fast items are scored, in each way: one target of each task, as the paper's grid has them."""

import math
import time
from collections.abc import Sequence
from typing import Any

import torch

from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.gpu.ways import ALL_WAYS, WayName
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from gpu_kit.correctness import MAX_LENGTH, Scores, first_line, items_of, n_differing, random_adapter, shape_of
from gpu_kit.machine import DATASHEET_BF16, card, peak_gib, reset_peak, shortest
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import make_base, make_network, n_layer_weights
from gpu_kit.work import TASKS

_N_ITEMS = {"qwen2.5-0.5b": 400, "llama-3.2-1b": 400, "gemma-3-1b": 200, "llama-3.2-3b": 200, "llama-3.1-8b": 100}


def scoring_speed(name: str, settings: Settings, report: Report) -> None:
    """Seconds for so many items of each task in bf16: square masks, block masks, compiled layers."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    n_items = 8 if settings.tiny else _N_ITEMS[name]
    targets = [items_of(shape, settings, n_items, [task]) for task in TASKS]
    report(model=name, precision="bf16", card=card(settings.device), items_per_task=n_items)
    adapter = random_adapter(network, settings.work / "adapter")
    report(switch_seconds=_switch_seconds(network, adapter, settings.device))
    start = time.perf_counter()
    packed = [Scorer(make_base(network).reader, max_length=MAX_LENGTH).pack(items) for items in targets]
    report(pack_seconds=time.perf_counter() - start)
    best, reference = math.inf, None
    for way in ALL_WAYS[:2] if settings.tiny else ALL_WAYS:
        try:
            found, scores = _one_way(network, way, packed, settings)
        except RuntimeError as error:
            report(**{way: {"error": first_line(error)}})
            continue
        reference = reference or scores
        found["other options than square masks"] = n_differing(scores, reference)
        report(**{way: found})
        if found["seconds"] < best:
            best = found["seconds"]
            report(best_way=way)
    report(ok=math.isfinite(best))


def _one_way(
    network: Any, way: WayName, packed: Sequence[PackedItems], settings: Settings
) -> tuple[dict[str, Any], Scores]:
    reset_peak(settings.device)
    reader = make_base(network, way).reader
    scorer = Scorer(reader, max_length=MAX_LENGTH)
    start = time.perf_counter()
    scores = [row for target in packed for row in scorer.score(target)]
    first_s = time.perf_counter() - start  # compiles, and checks the way
    if reader.chosen_ways.get("reading", "dense masks") != way:
        raise RuntimeError(f"'{way}' was not used: log.txt says why")
    seconds = shortest(lambda: [scorer.score(target) for target in packed], settings.device, repeats=2)
    n_needed = sum(target.n_needed for target in packed)
    rate = sum(_n_operations(network, target) for target in packed) / seconds
    peak = next((peak for model, peak in DATASHEET_BF16.items() if model in card(settings.device)), None)
    found = {
        "seconds": seconds,
        "first pass, seconds": first_s,
        "needed tokens": n_needed,
        "needed tokens per second": n_needed / seconds,
        "needed operations per second": rate,
        "share of the data sheet's bf16 rate (MFU)": None if peak is None else rate / peak,
        "peak memory, GiB": peak_gib(settings.device),
    }
    return found, scores


def _n_operations(network: Any, packed: PackedItems) -> float:
    """Operations that the needed tokens need: layers, attention to what each token attends to, the head."""
    config = network.config
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rows = [planned.row for batch in packed.batches for planned in batch.planned_rows]
    n_pairs = sum(int((row.position_ids + 1).sum()) for row in rows)
    n_heads = sum(len(batch.head_indices) for batch in packed.batches)
    attention = 4.0 * n_pairs * config.num_attention_heads * head_dim * config.num_hidden_layers
    return (
        2.0 * packed.n_needed * n_layer_weights(network)
        + attention
        + 2.0 * n_heads * (config.hidden_size * config.vocab_size)
    )


def _switch_seconds(network: Any, adapter: Any, device: str) -> float:
    """Seconds to merge an adapter and to restore the base."""
    switch = AdapterSwitch(make_base(network))

    def once() -> None:
        with switch.active(adapter):
            pass

    return shortest(once, device, repeats=2)
