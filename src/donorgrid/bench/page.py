"""A comparison as a page of Markdown."""

import platform

import torch

from donorgrid.bench.compare import OWN, PEER, RELEASE, Comparison


def markdown(found: Comparison) -> str:
    """The machine, the work, a table of stages with ratios, and whether the answers are the same."""
    work, texts = found.work, found.work.texts
    ways = [way for way in (RELEASE, PEER, OWN) if any(whose == way for whose, _ in found.whole_s)]
    n_items = sum(map(len, texts.targets.values()))
    lines = [
        f"Work: {texts.origin}; {len(texts.train)} training texts, {work.recipe.epochs} epochs; "
        f"{len(texts.targets)} targets, {n_items} items; {work.precision}; {work.threads} thread(s); "
        f"{OWN} in {found.jobs} process(es), its seconds for one cell.",
        f"Machine: {_processor()}, torch {torch.__version__}; dense {work.precision} products "
        f"{found.product_rate / 1e9:.0f} GFLOP/s.",
        "",
        "| way | stage | seconds | processor seconds | share measured |",
        "|---|---|---|---|---|",
    ]
    for way, stage in found.whole_s:
        wall, cpu = found.whole_s[way, stage]
        share = next(one.share for one in found.stages if (one.way, one.stage) == (way, stage))
        lines.append(f"| {way} | {stage} | {wall:.1f} | {cpu:.1f} | {share:.2f} |")
    lines += [
        "",
        "| whole cell | seconds | processor seconds | times donorgrid's | (processor) |",
        "|---|---|---|---|---|",
    ]
    for way in ways:
        wall, cpu = found.cell_s(way, of_cpu=False), found.cell_s(way, of_cpu=True)
        times = wall / found.cell_s(OWN, of_cpu=False), cpu / found.cell_s(OWN, of_cpu=True)
        lines.append(f"| {way} | {wall:.1f} | {cpu:.1f} | {times[0]:.1f} | {times[1]:.1f} |")
    lines.append("")
    for way, (differing, compared) in found.differing.items():
        listed = f" ({'; '.join(differing)})" if differing else ""
        lines.append(
            f"Same adapter, {way} against {OWN}: another option chosen on {len(differing)} of {compared} items{listed}."
        )
    lines.append(
        f"{OWN} reads {found.n_needed:,} tokens to score the measured share once, {found.n_computed:,} with fillers; "
        f"loading and packing take {found.once_s:.1f} s once per study. "
        f"Peer's best batch size: {found.peer_batch or 'not run'}."
    )
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as stream:  # noqa: PTH123
            names = [line.partition(":")[2].strip() for line in stream if line.startswith("model name")]
    except OSError:
        names = []
    return f"{len(names)} x {names[0]}" if names else platform.processor() or platform.machine()
