"""Packed scores against reading one option at a time; what happens where packing goes wrong."""

import logging
import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.models.masks import find_mask_form
from donorgrid.models.reader import Reader
from donorgrid.models.rows import prefix_tree_row
from donorgrid.score.choose import choose
from donorgrid.score.packing import pack_items
from donorgrid.score.plain import score_options
from donorgrid.score.scorer import Scorer
from random_items import random_items
from worlds import ARCHITECTURES

KINDS = (*ARCHITECTURES, "gemma3-multimodal")


def flat(scores: list[list[float]]) -> list[float]:
    return [nats for item in scores for nats in item]


@pytest.fixture(scope="module")
def resident(load: Any) -> Any:
    """Each kind once, with what the plain scorer gives for its items."""
    known: dict[str, Any] = {}

    def get(kind: str) -> Any:
        if kind not in known:
            network = load(kind).network
            items = random_items(24, seed=5)
            known[kind] = network, items, score_options(network, items, max_length=256)
        return known[kind]

    return get


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(budget=st.integers(1, 1500), cost=st.floats(0, 1e4), order=st.randoms(use_true_random=False))
def test_packed_scores_equal_plain_ones(
    resident: Any, kind: str, budget: int, cost: float, order: random.Random
) -> None:
    network, items, plain = resident(kind)
    shuffled = order.sample(range(len(items)), len(items))
    reader = Reader(network)
    scorer = Scorer(reader, max_length=256)
    packed = pack_items([items[index] for index in shuffled], max_length=256, budget=budget, token_cost=cost)
    scores = scorer.score(packed)
    assert reader.can_pack
    for nats, index in zip(scores, shuffled, strict=True):
        assert nats == pytest.approx(plain[index], abs=1e-4)
        assert choose(nats) == choose(plain[index])


def test_windows_shorter_than_the_text_matter(resident: Any) -> None:
    """Without its window a model answers otherwise: the property above would see a mask that lacks it."""
    network, items, plain = resident("mistral")
    window, network.config.sliding_window = network.config.sliding_window, None
    unwindowed = score_options(network, items, max_length=256)
    network.config.sliding_window = window
    assert np.abs(np.subtract(flat(plain), flat(unwindowed))).max() > 0.1


@pytest.mark.parametrize("max_length", [3, 9, 20])
def test_long_contexts_lose_their_beginning_alike(resident: Any, max_length: int) -> None:
    network, items, _ = resident("llama")
    scorer = Scorer(Reader(network), max_length=max_length)
    plain = score_options(network, items, max_length=max_length)
    assert flat(scorer.score(scorer.pack(items))) == pytest.approx(flat(plain), abs=1e-4)


def test_same_work_gives_the_same_bytes(resident: Any) -> None:
    network, items, _ = resident("qwen3")
    scorers = [Scorer(Reader(network), max_length=256) for _ in range(2)]
    assert scorers[0].score(scorers[0].pack(items)) == scorers[1].score(scorers[1].pack(items))


def test_bf16_scores_are_near_the_plain_ones(load: Any) -> None:
    network = load("llama", "bf16").network
    items = random_items(24, seed=5)
    reader = Reader(network)
    scorer = Scorer(reader, max_length=256)
    plain = flat(score_options(network, items, max_length=256))
    assert np.abs(np.subtract(flat(scorer.score(scorer.pack(items))), plain)).mean() < 0.2
    assert reader.can_pack


def test_contexts_and_preambles_are_read_once() -> None:
    items = random_items(24, seed=5)
    apart = pack_items(items, max_length=256, budget=2000, token_cost=0.0)
    together = pack_items(items, max_length=256, budget=2000, token_cost=1e9)
    plain = sum(len(item.context) + len(tail) - 1 for item in items for tail in set(item.continuations))
    sequences_of = [sorted((*item.context, *option)[:-1] for option in item.continuations) for item in items]
    single_items = sum(len(prefix_tree_row(sequences)[0]) for sequences in sequences_of)
    all_at_once = len(prefix_tree_row(sorted({sequence.token_ids[:-1] for sequence in apart.sequences}))[0])
    assert all_at_once == together.n_needed < apart.n_needed <= single_items < plain / 2


def test_one_head_position_serves_all_options(resident: Any) -> None:
    items = random_items(24, seed=5)
    packed = pack_items(items, max_length=256, budget=2000, token_cost=0.0)
    heads = sum(len(batch.head_indices) for batch in packed.batches)
    predictions = sum(len(batch.targets) for batch in packed.batches)
    assert heads < predictions == sum(sequence.n_scored for sequence in packed.sequences)


@pytest.mark.parametrize(("budget", "failing"), [(400, {1}), (200, {2, 3}), (200, {1, 4}), (1, {3, 4, 9})])
def test_out_of_memory_halves_the_batch_and_changes_no_answer(
    resident: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, budget: int, failing: set[int]
) -> None:
    network, items, plain = resident("llama")
    scorer = Scorer(Reader(network), max_length=256)
    packed = pack_items(items, max_length=256, budget=budget, token_cost=0.0)
    scorer.score(packed)
    n_batches, calls = len(packed.batches), []
    embedding = network.get_input_embeddings()
    forward = embedding.forward

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) in failing:
            raise torch.OutOfMemoryError("no memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(embedding, "forward", sometimes)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        scores = scorer.score(packed)
    assert flat(scores) == pytest.approx(flat(plain), abs=1e-4)
    assert len(packed.batches) == n_batches + len(failing)
    assert caplog.text.count("out of memory") == len(failing)


def test_other_errors_are_not_taken_for_memory(resident: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network, items, _ = resident("llama")
    scorer = Scorer(Reader(network), max_length=256)
    packed = scorer.pack(items)
    scorer.score(packed)
    embedding = network.get_input_embeddings()
    monkeypatch.setattr(embedding, "forward", lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
    with pytest.raises(RuntimeError, match="broken"):
        scorer.score(packed)


def test_model_that_leaks_between_options_is_read_plainly_and_said_so(
    load: Any, caplog: pytest.LogCaptureFixture
) -> None:
    network = load("llama").network
    layer = network.get_decoder().layers[0]
    # Every token also sees the one before it in the row, whatever the mask says: what a recurrent layer does.
    layer.register_forward_pre_hook(lambda _, args: (args[0] + args[0].roll(1, dims=1), *args[1:]))
    items = random_items(12, seed=3)
    reader = Reader(network)
    scorer = Scorer(reader, max_length=256)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        scores = scorer.score(scorer.pack(items))
    assert not reader.can_pack
    assert scores == score_options(network, items, max_length=256)
    assert "read one by one" in caplog.text


def test_form_is_by_layer_type_where_windows_differ_by_layer(resident: Any) -> None:
    sequences = [tuple(range(10, 40)), tuple(range(10, 36))]
    forms = {
        kind: find_mask_form(resident(kind)[0], sequences, tolerance_nats=1e-4).form
        for kind in ("llama", "qwen2-windowed", "mistral")
    }
    assert forms == {"llama": "one mask", "qwen2-windowed": "by layer type", "mistral": "one mask"}
