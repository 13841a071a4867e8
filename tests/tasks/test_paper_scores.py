"""The paper's four tasks on a tiny checkpoint: the options chosen and their log-likelihoods are those of lm-eval."""

from pathlib import Path

import pytest

from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.tasks import find_task
from lm_eval_requests import CASES, lm_eval_task, our_items

pytestmark = pytest.mark.filterwarnings("ignore")  # those of lm-eval and what it imports
CHAT = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
LONGEST = 256


@pytest.mark.parametrize("chat", [False, True], ids=["plain", "chat"])
@pytest.mark.parametrize("name", ["arc_challenge", "global_mmlu", "hellaswag", "truthfulqa"])
def test_the_papers_tasks_are_scored_as_lm_eval_scores_them(name: str, chat: bool, world: Path, tmp_path: Path) -> None:
    from lm_eval import evaluate
    from lm_eval.models.huggingface import HFLM

    file, language, rows = CASES[name]
    model = HFLM(pretrained=str(world / "qwen2"), dtype="float32", device="cpu", softmax_dtype="float32")
    model.tokenizer.chat_template = CHAT
    theirs = {"case": lm_eval_task(file, rows, tmp_path)}
    found = evaluate(model, theirs, log_samples=True, bootstrap_iters=0, apply_chat_template=chat)
    samples = sorted(found["samples"]["case"], key=lambda one: one["doc_id"])

    base = load_base(find_model("qwen2", revision=None, folder=world, built_in={}), precision="fp32", device="cpu")
    base.tokenizer.chat_template = CHAT
    task = find_task(name, folder=tmp_path)
    encoded = encode_items(our_items(task, language, rows), base.tokenizer, chat_template=chat)
    nats = score_options(base.network, encoded.items, max_length=LONGEST)
    norm = "acc_norm" in task.metrics
    answers = item_answers(encoded.items, nats, norm=norm)
    assert len(samples) == len(encoded.items) == len(rows)
    for row, ours, sample in zip(answers.iter_rows(named=True), nats, samples, strict=True):
        assert ours == pytest.approx([float(one[0]) for one in sample["filtered_resps"]], abs=1e-4)
        assert row["correct"] == bool(sample["acc"])
        if norm:
            assert row["correct_norm"] == bool(sample["acc_norm"])
