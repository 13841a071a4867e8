"""Real models: chosen options against lm-eval's, exact-and-fast against float32, and where the time of scoring goes.

    python benchmarks/real_models.py --data FOLDER --models FOLDER [FOLDER ...] [--items 40] [--exact-items 250]

``--data`` holds ``sib200/`` and ``xcopa/``. Of each of eight targets (SIB-200 topics and XCOPA in id, it, tr, zh),
``--items`` items are compared with lm-eval, with the base and with an adapter that is trained for one epoch;
``--exact-items`` items are scored in float32 and exact-and-fast. The exit code is 1 if a chosen option differs.
"""

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from transformers.utils import logging as transformers_logging

from donorgrid.bench.compare import differing_items, product_rate
from donorgrid.bench.donorgrid_way import LoadedWorkload, load_workload, score, train
from donorgrid.bench.lm_eval_scoring import lm_eval_in_process
from donorgrid.bench.texts import real_texts
from donorgrid.bench.workload import Workload, make_workload
from donorgrid.core.records import Recipe
from donorgrid.models.fast_cpu.bf16_products import bf16_kernel
from donorgrid.models.fast_cpu.decoder import make_fast_decoder
from donorgrid.models.masks import hidden_states
from donorgrid.models.output_head import target_loglik_nats
from donorgrid.models.rows import packed_row, pad_rows
from donorgrid.score.choose import choose, choose_norm
from donorgrid.score.exact_and_fast import score_exact_and_fast
from donorgrid.score.packing import PackedItems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--items", type=int, default=40, help="items of each target, compared with lm-eval")
    parser.add_argument("--exact-items", type=int, default=250, help="items of each target, exact-and-fast")
    parser.add_argument("--train", type=int, default=24, help="training texts of the adapter")
    given = parser.parse_args()
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    n_differing = 0
    for model in given.models:
        with tempfile.TemporaryDirectory() as folder:
            texts = real_texts(given.data, n_train=given.train, n_items=max(given.items, given.exact_items))
            recipe = Recipe(name="real", epochs=1, precision="fp32")
            workload = make_workload(Path(folder), texts, recipe=recipe, threads=1, model=model)
            _print_rounding(replace(workload, precision="bf16"))
            n_differing += _against_lm_eval(load_workload(workload, n_items=given.items), given.items)
            n_differing += _exact_and_fast(load_workload(workload, n_items=given.exact_items))
    sys.exit(1 if n_differing else 0)


def _print_rounding(workload: Workload) -> None:
    """Prints how far log-probabilities in bf16 are from those of the same weights in float32."""
    loaded = load_workload(workload, n_items=30)
    network = loaded.base.network
    exact_network = copy.deepcopy(network).float()
    decoder = make_fast_decoder(network)
    if decoder is None or not decoder.prepare():
        raise SystemExit(f"{workload.checkpoint}: the fast decoder does not know its layers")
    for target, packed in list(loaded.packed.items())[:4]:
        by_length = sorted((sequence.token_ids for sequence in packed.sequences), key=lambda ids: (len(ids), ids))
        sequences = sorted({*by_length[:4], *by_length[-4:]})
        gaps = []
        with torch.inference_mode():
            for ids in sequences:
                row, indices = pad_rows([packed_row([ids])]), torch.arange(len(ids))
                hidden = [hidden_states(net, row, None)[0] for net in (exact_network, network)]
                hidden.append(decoder.hidden_states_at(row, indices))
                exact, peer, ours = (
                    target_loglik_nats(net, states[:-1], indices[:-1], torch.tensor(ids[1:]))
                    for net, states in zip((exact_network, network, network), hidden, strict=True)
                )
                gaps.append(torch.stack([(nats - exact).abs() for nats in (ours, peer)]))
        ours_nats, peer_nats = torch.cat(gaps, dim=1).mean(1).tolist()
        model = workload.checkpoint.name
        print(f"{model}, {target}: bf16 is {ours_nats:.3f} nats a token off, transformers' layers {peer_nats:.3f}")


def _against_lm_eval(loaded: LoadedWorkload, n_items: int) -> int:
    """Compares chosen options with lm-eval's for the base and an adapter; how many differ."""
    workload, targets = loaded.workload, list(loaded.packed)
    adapter = workload.folder / "adapter"
    train(loaded, adapter, n_texts=len(workload.texts.train))
    total = 0
    for name in ("base", "adapter"):
        if name == "base":
            ours = {target: [choose(nats) for nats in loaded.scorer.score(loaded.packed[target])] for target in targets}
            theirs = lm_eval_in_process(loaded.base.network, workload, targets, batch_size=8, limit=n_items)
        else:
            ours = score(loaded, adapter, targets)
            with loaded.adapter_switch.active(adapter):
                theirs = lm_eval_in_process(loaded.base.network, workload, targets, batch_size=8, limit=n_items)
        differing, n_compared = differing_items(ours, theirs)
        total += len(differing)
        model = workload.checkpoint.name
        print(f"{model}, {name}: {len(differing)} of {n_compared} chosen options differ from lm-eval's")
    return total


def _exact_and_fast(loaded: LoadedWorkload) -> int:
    """Compares exact-and-fast with float32, by seconds and chosen options; how many differ."""
    name = loaded.workload.checkpoint.name
    rates = [product_rate(dtype) / 1e9 for dtype in (torch.float32, torch.bfloat16)]
    print(f"{name}: dense products {rates[0]:.0f} GFLOP/s in float32, {rates[1]:.0f} in bf16 ({bf16_kernel()})")
    total = 0
    for kind in ("topic", "copa"):
        seconds, n_items, n_differing, n_fp32 = [0.0, 0.0, 0.0], 0, 0, 0.0
        for packed in [packed for target, packed in loaded.packed.items() if target.startswith(kind)]:
            loaded.scorer.can_round_products(packed)  # the self-check and the compilation are not timed
            exact, exact_s = _timed(loaded.scorer.score, packed)
            _, rounded_s = _timed(loaded.scorer.score, packed, rounds_products=True)
            fast, fast_s = _timed(score_exact_and_fast, loaded.scorer, packed, norm=True)
            seconds = [total_s + s for total_s, s in zip(seconds, (exact_s, rounded_s, fast_s), strict=True)]
            n_items += len(exact)
            n_fp32 += fast.share_in_fp32 * len(exact)
            n_differing += _n_differing(packed, exact, fast.logliks)
        share = _share_of_products(loaded, kind)
        total += n_differing
        print(
            f"{name}, {kind}, {n_items} items, processor seconds: float32 {seconds[0]:.1f} ({share:.0%} in products), "
            f"bf16 products {seconds[1]:.1f}, exact-and-fast {seconds[2]:.1f} ({n_fp32 / n_items:.0%} in float32 too); "
            f"{n_differing} chosen options (acc, acc_norm) differ"
        )
    return total


def _n_differing(packed: PackedItems, exact: Sequence[Sequence[float]], fast: Sequence[Sequence[float]]) -> int:
    n_differing = 0
    for item, exact_nats, fast_nats in zip(packed.items, exact, fast, strict=True):
        lengths = [len(choice) for choice in item.item.choices]
        n_differing += choose(exact_nats) != choose(fast_nats)
        n_differing += choose_norm(exact_nats, lengths) != choose_norm(fast_nats, lengths)
    return n_differing


def _share_of_products(loaded: LoadedWorkload, kind: str) -> float:
    """The share of the processor time of scoring one target in float32 that torch's products take."""
    packed = next(packed for target, packed in loaded.packed.items() if target.startswith(kind))
    seconds = [0.0]

    def timed(multiply: Any) -> Any:
        def product(*arguments: Any, **named: Any) -> Any:
            result, product_s = _timed(multiply, *arguments, **named)
            seconds[0] += product_s
            return result

        return product

    with (
        patch.object(torch, "mm", timed(torch.mm)),
        patch.object(torch.Tensor, "addmm_", timed(torch.Tensor.addmm_)),
    ):
        _, whole_s = _timed(loaded.scorer.score, packed)
    return seconds[0] / whole_s


def _timed(function: Any, *arguments: Any, **named: Any) -> tuple[Any, float]:
    start = time.process_time()
    result = function(*arguments, **named)
    return result, time.process_time() - start


if __name__ == "__main__":
    main()
