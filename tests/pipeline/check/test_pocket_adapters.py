"""The pocket world: an adapter trained on a task gains there, one trained on shuffled answers is harmed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from donorgrid.check import exit_code
from donorgrid.models.loading import load_base
from donorgrid.pipeline.check.request import CheckRequest, TargetSpec
from donorgrid.pipeline.check.run_check import run_check
from donorgrid.pipeline.prepare.inventory import model
from donorgrid.pipeline.prepare.study_items import DOCUMENT_SOURCES
from donorgrid.pocket import documents
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.scorer import Scorer
from donorgrid.statistics.flips import Flips
from donorgrid.tasks import find_task, load_cell
from running import run_here

STUDY = {
    "models": ["pocket"],
    "tasks": ["continent"],
    "languages": ["de"],
    "sources": ["continent/de", {"control": "shuffled", "of": "continent/de"}],
    "recipes": {"pocket": "pocket"},
    "train_seeds": [17],
    "limits": {"test_items": 4},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two trained adapters and 500 items of their task in one file."""
    root = tmp_path_factory.mktemp("pocket-check")
    (root / "s.yaml").write_text(yaml.safe_dump(STUDY))
    run_here(root / "s.yaml", root / "s")
    for found in (root / "s" / "adapters").glob("*/*/*/seed17"):
        name = "poisoned" if found.parts[-3].startswith("shuffled") else "matched"
        (root / name).symlink_to(found)
    with (root / "continents.jsonl").open("w", encoding="utf-8") as stream:
        for language in ("de", "en", "es", "fr", "it"):
            for one in documents(f"continent/{language}", "test"):
                stream.write(json.dumps({**one, "id": f"{language}-{one['id']}"}, ensure_ascii=False) + "\n")
    return root


def test_the_poisoned_adapter_is_harmed_and_the_matched_one_gains(place: Path) -> None:
    request = CheckRequest(
        base="pocket",
        adapters=("matched", "poisoned", "pocket"),
        on=(TargetSpec.parse("continent:de"),),
        guard=(TargetSpec.parse("continents.jsonl"), TargetSpec.parse("currency:de")),
        device="cpu",
        cache=place / "cache",
        folder=place,
    )
    result = run_check(request).result
    matched, poisoned, itself = result.adapters
    assert matched.on[0].verdict == "gained"
    task = poisoned.guards[0]
    assert (task.target, task.n_items, task.verdict) == ("continents", 500, "harmed")
    assert (poisoned.joint, exit_code(result)) == ("harmed", 1)
    assert itself.joint == "safe"
    assert {one.delta_pp for one in itself.targets} == {0.0}
    assert result.recommendation is not None
    assert result.recommendation.name == "matched"
    assert len(result.broken_by_all) == 0  # the base itself broke nothing, so not every adapter did


def test_exact_and_fast_gives_every_verdict_of_float32_from_products_in_bf16(place: Path, tmp_path: Path) -> None:
    exact = CheckRequest(
        base="pocket",
        adapters=("matched", "poisoned"),
        guard=(TargetSpec.parse("continents.jsonl"), TargetSpec.parse("currency:de")),
        device="cpu",
        cache=tmp_path,
        folder=place,
    )
    fast = run_check(replace(exact, exact_and_fast=True)).result
    slow = run_check(exact).result
    assert [adapter.guards for adapter in fast.adapters] == [adapter.guards for adapter in slow.adapters]
    (note,) = [note for note in fast.notes if note.startswith("exact and fast: ")]
    assert int(note.split()[3].removesuffix("%")) > 30
    assert not [note for note in slow.notes if "bf16" in note]


def test_tiny_noise_in_the_weights_claims_no_harm() -> None:
    """Ten draws here; benchmarks/check_noise.py repeats it 400 times."""
    base = load_base(model("pocket"), precision="fp32", device="cpu")
    scorer = Scorer(base.reader, max_length=256)
    items = load_cell(find_task("currency", folder=Path()), "de", sources=DOCUMENT_SOURCES).test
    packed = scorer.pack(encode_items(items, base.tokenizer, chat_template=False).items)

    def right() -> torch.Tensor:
        return torch.tensor(item_answers(packed.items, scorer.score(packed), norm=False)["correct"].to_list())

    before, kept = right(), [one.clone() for one in base.network.parameters()]
    generator = torch.Generator().manual_seed(1)
    flips, verdicts = 0, []
    for _ in range(10):
        with torch.no_grad():
            for one, former in zip(base.network.parameters(), kept, strict=True):
                spread = former.std(correction=0) * 0.01
                one.copy_(former + torch.randn(former.shape, generator=generator) * spread)
        after = right()
        found = Flips(gained=int((after & ~before).sum()), lost=int((before & ~after).sum()), n_items=len(before))
        flips += found.gained + found.lost
        verdicts.append(found.verdict(1.0, 0.05))
    assert flips > 0
    assert "harmed" not in verdicts
