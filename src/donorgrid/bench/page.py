"""A comparison as Markdown."""

import platform
from collections.abc import Iterator

import torch

from donorgrid.bench.compare import Comparison
from donorgrid.bench.ways import DONORGRID, PEER, RELEASE


def markdown(comparison: Comparison) -> str:
    """The workload, the machine, a table of stages, a table of ratios, and how many answers differ."""
    workload, texts = comparison.workload, comparison.workload.texts
    ways = [way for way in (RELEASE, PEER, DONORGRID) if any(stage_way == way for stage_way, _ in comparison.whole_s)]
    n_items = sum(map(len, texts.targets.values()))
    lines = [
        f"Model: {workload.checkpoint.name}{', with its chat template' if workload.chat_template else ''}. "
        f"Workload: {texts.origin}; {len(texts.train)} training texts, {workload.recipe.epochs} epochs; "
        f"{len(texts.targets)} targets, {n_items} items; {workload.precision}; {workload.threads} thread(s); "
        f"{DONORGRID} in {comparison.jobs} process(es), its seconds for one cell.",
        f"Machine: {_processor()}, torch {torch.__version__}; dense {workload.precision} products "
        f"{comparison.product_rate / 1e9:.0f} GFLOP/s.",
        "",
        "| way | stage | seconds | processor seconds | share measured |",
        "|---|---|---|---|---|",
    ]
    for way, stage in comparison.whole_s:
        wall, cpu = comparison.whole_s[way, stage]
        share = next(timed.share for timed in comparison.stages if (timed.way, timed.stage) == (way, stage))
        lines.append(f"| {way} | {stage} | {wall:.1f} | {cpu:.1f} | {share:.2f} |")
    lines += [
        "",
        "| whole cell | seconds | processor seconds | times donorgrid's | (processor) |",
        "|---|---|---|---|---|",
    ]
    for way in ways:
        wall, cpu = comparison.cell_s(way, of_cpu=False), comparison.cell_s(way, of_cpu=True)
        ratios = wall / comparison.cell_s(DONORGRID, of_cpu=False), cpu / comparison.cell_s(DONORGRID, of_cpu=True)
        lines.append(f"| {way} | {wall:.1f} | {cpu:.1f} | {ratios[0]:.1f} | {ratios[1]:.1f} |")
    lines += ["", *_differing_lines(comparison)]
    lines.append(
        f"{DONORGRID} reads {comparison.n_needed:,} tokens to score the measured items once, "
        f"{comparison.n_computed:,} with padding; "
        f"loading and packing take {comparison.load_s:.1f} s once per study. "
        f"Peer's best batch size: {comparison.peer_batch or 'not run'}."
    )
    return "\n".join(lines) + "\n"


def _differing_lines(comparison: Comparison) -> Iterator[str]:
    for way, (differing, compared) in comparison.differing.items():
        listed = f" ({'; '.join(differing)})" if differing else ""
        yield (
            f"Same adapter, {way} against {DONORGRID}: another option chosen on {len(differing)} of {compared} "
            f"items{listed}."
        )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in stream if line.startswith("model name")]
    except OSError:
        names = []
    return f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine()
