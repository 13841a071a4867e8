"""Chosen options are those of float32, although most items are scored with products in bf16."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from donorgrid.core.records import Cell, Item
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base
from donorgrid.score.choose import choose, choose_norm
from donorgrid.score.encode import encode_items
from donorgrid.score.exact_and_fast import score_exact_and_fast
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from worlds import make_checkpoint

WORDS = ("colour", "number", "red", "green", "blue", "one", "two", "three", "which", "is", "the", "verde", "uno", "due")
CELL = Cell(task="colours", language="en")


def questions(count: int) -> list[Item]:
    rng = random.Random(0)

    def text(longest: int) -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, longest)))

    return [
        Item(id=str(number), cell=CELL, context=text(20), choices=tuple(text(5) for _ in range(4)), answer=0)
        for number in range(count)
    ]


def scorer_of(kind: str, folder: Path, precision: Any = "fp32") -> tuple[Scorer, PackedItems]:
    make_checkpoint(kind, folder / kind)
    model = find_model(kind, revision=None, folder=folder, built_in={})
    base = load_base(model, precision=precision, device="cpu")
    scorer = Scorer(base.reader, max_length=256)
    return scorer, scorer.pack(encode_items(questions(400), base.tokenizer, chat_template=False).items)


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_every_chosen_option_is_that_of_float32(kind: str, tmp_path: Path) -> None:
    scorer, packed = scorer_of(kind, tmp_path)
    exact = scorer.score(packed)
    scored = score_exact_and_fast(scorer, packed, norm=True)
    in_bf16 = [precision == "bf16" for precision in scored.precisions]
    assert 0.05 < scored.share_in_fp32 < 0.8
    assert scored.share_in_fp32 == pytest.approx(1 - np.mean(in_bf16))
    for item, nats, exact_nats, is_bf16 in zip(packed.items, scored.logliks, exact, in_bf16, strict=True):
        lengths = [len(choice) for choice in item.item.choices]
        assert choose(nats) == choose(exact_nats)
        assert choose_norm(nats, lengths) == choose_norm(exact_nats, lengths)
        error = np.abs(np.subtract(nats, exact_nats)).max()
        assert (1e-5 < error < 2.0) if is_bf16 else error < 1e-4, "the stated precision is that of the numbers"
    fast = scorer.score(packed, rounds_products=True)
    n_differing = sum(
        choose(nats) != choose(exact_nats)
        or choose_norm(nats, [len(choice) for choice in item.item.choices])
        != choose_norm(exact_nats, [len(choice) for choice in item.item.choices])
        for item, nats, exact_nats in zip(packed.items, fast, exact, strict=True)
    )
    assert n_differing, "without the second scoring some choices differ: this test can fail"


def test_without_acc_norm_fewer_items_are_scored_twice(tmp_path: Path) -> None:
    scorer, packed = scorer_of("llama", tmp_path)
    shares = [score_exact_and_fast(scorer, packed, norm=norm).share_in_fp32 for norm in (False, True)]
    assert shares[0] < shares[1]


@pytest.mark.parametrize("kind", ["gpt-neox", "llama"])
def test_what_cannot_be_rounded_is_scored_in_float32(kind: str, tmp_path: Path) -> None:
    """A network without a fast decoder, and too few items for a sample."""
    scorer, packed = scorer_of(kind, tmp_path)
    if kind == "llama":
        packed = scorer.pack(packed.items[:30])
    scored = score_exact_and_fast(scorer, packed, norm=True)
    assert scored.share_in_fp32 == 1.0
    assert scored.logliks == scorer.score(packed)
