"""Scores against lm-eval's own, on tiny checkpoints of real architectures."""

from pathlib import Path

import pytest

from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.tasks import find_task, load_cell

pytestmark = pytest.mark.filterwarnings("default")


def lm_eval_scores(world: Path, kind: str, language: str) -> list[dict]:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    task = {
        "task": f"colours_{language}",
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(world / f"colours-{language}-test.jsonl")}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }
    model = HFLM(pretrained=str(world / kind), dtype="float32", device="cpu", batch_size=4, softmax_dtype="float32")
    found = simple_evaluate(model=model, tasks=[task], log_samples=True, bootstrap_iters=0)
    return sorted(found["samples"][f"colours_{language}"], key=lambda one: one["doc_id"])


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3"])
def test_scores_and_choices_equal_lm_evals(world: Path, kind: str) -> None:
    base = load_base(find_model(kind, revision=None, folder=world, built_in={}), precision="fp32", device="cpu")
    test = load_cell(find_task("colours.yaml", folder=world), "de", sources={}).test
    encoded = encode_items(test, base.tokenizer, chat_template=False)
    ours = score_options(base.network, encoded.items, max_length=256)
    answers = item_answers(encoded.items, ours, norm=True)
    theirs = lm_eval_scores(world, kind, "de")
    assert len(theirs) == len(ours) == 12
    for row, nats, sample in zip(answers.iter_rows(named=True), ours, theirs, strict=True):
        assert nats == pytest.approx([float(one[0]) for one in sample["filtered_resps"]], abs=1e-4)
        assert row["correct"] == bool(sample["acc"])
        assert row["correct_norm"] == bool(sample["acc_norm"])
