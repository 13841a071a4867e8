"""The program that makes the base model, at a few steps; and the base model that is shipped."""

import hashlib
import math

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from donorgrid.pocket import WEIGHTS_SHA256, documents, model_folder
from donorgrid.pocket.corpus import Amount
from donorgrid.pocket.pretrain import Pretraining, train_base_model

TINY = Pretraining(
    richness={code: Amount(known_share=0.1, mentions=1, plain_odds=0.1) for code in ("en", "hi")},
    vocabulary=512,
    hidden=32,
    intermediate=64,
    layers=1,
    peak_learning_rate=1e-2,
    max_steps=6,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    out, seen = tmp_path_factory.mktemp("pocket") / "model", []
    train_base_model(out, seed=3, settings=TINY, report=seen.append)
    return out, seen


def test_a_short_pretraining_reports_each_step_and_learns(tiny):
    _, seen = tiny
    assert [progress.step for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert {progress.n_steps for progress in seen} == {6}
    assert seen[0].loss_nats == pytest.approx(math.log(512), abs=0.3)
    assert seen[-1].loss_nats < seen[0].loss_nats


def test_its_folder_loads_and_its_weights_are_exact_in_bfloat16(tiny):
    out, _ = tiny
    model = AutoModelForCausalLM.from_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert model.dtype == torch.float32
    assert all(torch.equal(weight, weight.bfloat16().float()) for weight in model.parameters())
    for cell in ("place/hi", "currency/zh", "language/ar"):
        question = documents(cell, "test")[0]["question"]
        assert tokenizer.decode(tokenizer(question)["input_ids"]) == question


def test_the_same_seed_gives_the_same_files_and_another_seed_others(tiny, tmp_path):
    out, _ = tiny
    for seed, folder in ((3, tmp_path / "again"), (4, tmp_path / "other")):
        train_base_model(folder, seed=seed, settings=TINY)
    files = sorted(path.name for path in out.iterdir())
    assert "model.safetensors" in files
    for file in files:
        assert (tmp_path / "again" / file).read_bytes() == (out / file).read_bytes()
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (out / weights).read_bytes()


def test_pretraining_leaves_the_callers_threads_and_random_state_alone(tmp_path):
    torch.manual_seed(11)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    train_base_model(tmp_path, seed=3, settings=TINY)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_the_shipped_weights_are_the_documented_ones_and_small():
    weights = (model_folder() / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == WEIGHTS_SHA256
    assert sum(path.stat().st_size for path in model_folder().iterdir()) < 10_000_000


@pytest.fixture(scope="module")
def shipped():
    model = AutoModelForCausalLM.from_pretrained(model_folder()).eval()
    return model, AutoTokenizer.from_pretrained(model_folder())


def test_the_shipped_model_is_a_llama_of_one_to_three_million_parameters(shipped):
    model, tokenizer = shipped
    assert model.config.model_type == "llama"
    assert model.dtype == torch.float32
    assert 1e6 < sum(weight.numel() for weight in model.parameters()) < 3e6
    assert len(tokenizer) == model.config.vocab_size


def test_the_shipped_model_beats_chance_where_it_is_rich(shipped):
    part = documents("continent/en", "test")
    right = sum(_best_choice(document, *shipped) == document["answer"] for document in part)
    assert right / len(part) > 0.25 + 3 * math.sqrt(0.25 * 0.75 / len(part))


@torch.no_grad()
def _best_choice(document, model, tokenizer):
    context = tokenizer(document["question"])["input_ids"]
    scores = []
    for choice in document["choices"]:
        option = tokenizer(" " + choice)["input_ids"]
        logits = model(torch.tensor([context + option])).logits[0, len(context) - 1 : -1]
        picked = torch.log_softmax(logits, -1)[range(len(option)), option]
        scores.append(picked.sum().item())
    return scores.index(max(scores))
