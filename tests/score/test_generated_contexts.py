"""What a model is given before it generates: one BOS, the end of a long context, padding on the left."""

from pathlib import Path
from typing import Any

import pytest
import torch

from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.score.generate import generate_texts

pytestmark = pytest.mark.filterwarnings("default")
BOS, EOS = 0, 1


def base_of(world: Path, kind: str) -> Base:
    return load_base(find_model(kind, revision=None, folder=world, built_in={}), precision="fp32", device="cpu")


def inputs_for(base: Base, contexts: list[str], monkeypatch: pytest.MonkeyPatch, *, max_length: int) -> list[list[int]]:
    """The tokens of each row that reach the network, without padding, in the order of the contexts' lengths."""
    rows: list[list[int]] = []

    def generate(*, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> torch.Tensor:
        for ids, mask in zip(input_ids, attention_mask, strict=True):
            assert mask.tolist() == sorted(mask.tolist()), "padding stands on the left"
            rows.append(ids[mask.bool()].tolist())
        return torch.cat([input_ids, torch.full((len(input_ids), 1), EOS)], dim=1)

    monkeypatch.setattr(base.network, "generate", generate)
    generate_texts(base.network, base.tokenizer, contexts, until=(), max_new_tokens=4, max_length=max_length)
    return rows


def test_context_that_begins_with_bos_gets_no_second_one(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = base_of(world, "llama")
    plain, written = "which colour is", "<bos>which colour is"
    rows = inputs_for(base, [plain, written], monkeypatch, max_length=64)
    words = base.tokenizer.encode(plain, add_special_tokens=False)
    assert BOS not in words
    assert rows == [[BOS, *words]] * 2


def test_empty_context_becomes_one_prefix_token(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inputs_for(base_of(world, "llama"), [""], monkeypatch, max_length=64) == [[BOS]]
    assert inputs_for(base_of(world, "qwen2"), [""], monkeypatch, max_length=64) == [[EOS]]


def test_long_context_keeps_the_tokens_at_its_end_that_leave_room_for_the_answer(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_of(world, "qwen2")
    context = "which colour is the number red?"
    ids = base.tokenizer.encode(context)
    assert len(ids) > 7
    assert inputs_for(base, [context], monkeypatch, max_length=10) == [ids[-6:]]
    assert inputs_for(base, [context], monkeypatch, max_length=len(ids) + 4) == [ids]
