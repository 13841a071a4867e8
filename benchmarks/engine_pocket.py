"""The engine on the demo's work: packed against plain scoring, adapters trained alone and together.

    python benchmarks/engine_pocket.py [--threads 1] [--repeats 3]

Prints processor seconds: the fastest of the repeats, which take turns. docs/results/engine.md holds what it printed.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import yaml

from donorgrid.core.names import StudyFolder
from donorgrid.models.loading import load_base
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.plan.presets import study_preset
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.score.scorer import Scorer
from donorgrid.train.encode import Corpus, encode_texts
from donorgrid.train.methods import train_runs
from donorgrid.train.text_selection import split_texts

LONGEST = 512
GROUPS = (1, 2, 4, 8)


def demo(folder: Path) -> Prepared:
    study = folder / "demo.yaml"
    study.write_text(yaml.safe_dump(study_preset("demo")), encoding="utf-8")
    return prepare(study, StudyFolder(folder / "out"))


def best_seconds(works: dict[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            start = time.process_time()
            work()
            seconds[name].append(time.process_time() - start)
    return {name: min(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        prepared = demo(Path(folder))
    base = load_base(prepared.models["pocket"], precision="fp32", device="cpu")
    targets = [
        encode_items(prepared.cells[cell].test, base.tokenizer, chat_template=False).items
        for cell in prepared.grid.targets
    ]
    scorer = Scorer(base.reader, max_length=LONGEST)
    packed = [scorer.pack(items) for items in targets]
    gap = max(
        abs(plain_nats - packed_nats)
        for items, packed_items in zip(targets, packed, strict=True)
        for plain_scores, packed_scores in zip(
            score_options(base.network, items, max_length=LONGEST), scorer.score(packed_items), strict=True
        )
        for plain_nats, packed_nats in zip(plain_scores, packed_scores, strict=True)
    )
    runs = prepared.grid.runs[::2][: max(GROUPS)]
    corpora = []
    for run in runs:
        split = split_texts(prepared.cells[run.source.cells[0]].train, split_seed=42, validation_share=0.1)
        parts = (encode_texts(part, base.tokenizer) for part in (split.train, split.validation))
        corpora.append(Corpus(train=next(parts), validation=next(parts)))

    def train(size: int) -> None:
        for start in range(0, len(corpora), size):
            group = corpora[start : start + size]
            train_runs(base, group, runs[0].recipe, train_seeds=[17] * len(group))

    works: dict[str, Callable[[], object]] = {
        "score plain": lambda: [score_options(base.network, items, max_length=LONGEST) for items in targets],
        "score packed": lambda: [scorer.score(items) for items in packed],
    }
    works |= {f"train {size} at once": lambda size=size: train(size) for size in GROUPS}
    for name, seconds in best_seconds(works, repeats=given.repeats).items():
        each = seconds / len(corpora) if name.startswith("train") else seconds
        print(f"{name}: {each:.2f} s of processor per adapter")
    tokens = sum(len(item.context) + len(tail) for items in targets for item in items for tail in item.continuations)
    needed = sum(items.n_needed for items in packed)
    computed = sum(batch.n_tokens for items in packed for batch in items.batches)
    print(f"tokens to score: plain {tokens:,}, needed {needed:,}, computed {computed:,}; largest gap {gap:.1e} nats")


if __name__ == "__main__":
    main()
