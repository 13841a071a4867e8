"""How often ``donorgrid check`` claims harm where the "adapter" is the base with tiny random noise in its weights.

    python benchmarks/check_noise.py [--repetitions 400] [--noise 0.001]

Every weight matrix of the pocket model gets normal noise of ``--noise`` times its own standard deviation. Guarded are
four targets of the pocket world, 404 items; a repetition claims harm when any of them is called harmed.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from donorgrid.check.verdicts import joint_over_guards
from donorgrid.models.loading import load_base
from donorgrid.pipeline.prepare.inventory import model
from donorgrid.pipeline.prepare.study_items import DOCUMENT_SOURCES
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.scorer import Scorer
from donorgrid.statistics.flips import Flips
from donorgrid.tasks import find_task, load_cell

GUARDS = (("currency", "de"), ("language", "en"), ("continent", "fr"), ("place", "zh"))
LIMIT_PP, TAIL = 1.0, 0.05


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repetitions", type=int, default=400)
    options.add_argument("--noise", type=float, default=0.001)
    given = options.parse_args()
    base = load_base(model("pocket"), precision="fp32", device="cpu")
    scorer = Scorer(base.reader, max_length=256)
    packed = []
    for task, language in GUARDS:
        items = load_cell(find_task(task, folder=Path()), language, sources=DOCUMENT_SOURCES).test
        packed.append(scorer.pack(encode_items(items, base.tokenizer, chat_template=False).items))
    of_base = answers(scorer, packed)
    matrices = [one for one in base.network.parameters() if one.dim() > 1]
    kept = [one.detach().clone() for one in matrices]
    counts: Counter[str | None] = Counter()
    flips, single = [], Counter()
    generator = torch.Generator().manual_seed(0)
    for _ in range(given.repetitions):
        with torch.no_grad():
            for one, former in zip(matrices, kept, strict=True):
                noise = torch.randn(former.shape, generator=generator) * former.std() * given.noise
                one.copy_(former + noise)
        verdicts = []
        for before, after in zip(of_base, answers(scorer, packed), strict=True):
            found = Flips(gained=int((after & ~before).sum()), lost=int((before & ~after).sum()), n_items=before.size)
            flips.append((found.gained + found.lost) / found.n_items)
            verdicts.append(found.verdict(LIMIT_PP, TAIL))
        single.update(verdicts)
        counts[joint_over_guards(verdicts)] += 1
    n = given.repetitions
    print(f"noise {given.noise:g} of a weight's standard deviation, {n} repetitions, {len(GUARDS)} guards")
    print(f"items that flip: {100 * np.mean(flips):.2f}% on average, at most {100 * max(flips):.1f}% of a guard")
    print(f"repetitions that claim harm: {counts['harmed']} of {n} ({100 * counts['harmed'] / n:.1f}%)")
    print(f"single verdicts: {dict(single)}")


def answers(scorer: Scorer, packed: list) -> list[np.ndarray]:
    frames = [item_answers(one.items, scorer.score(one), norm=False) for one in packed]
    return [frame["correct"].to_numpy().astype(bool) for frame in frames]


if __name__ == "__main__":
    main()
