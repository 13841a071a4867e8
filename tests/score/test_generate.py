"""Generated answers against lm-eval's own generate_until, on tiny checkpoints of real architectures."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from donorgrid.core.errors import InputError
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.score.generate import generate_texts
from donorgrid.tasks import find_task, generation_rules, load_cell

pytestmark = pytest.mark.filterwarnings("default")

UNTIL = ["ro", "\n\n", "ü"]


@pytest.fixture(scope="module")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generation task: contexts of many lengths, one longer than the model's room."""
    folder = tmp_path_factory.mktemp("asked")
    rows = [
        {"id": f"q{number}", "question": "welche Farbe ist die " * (1 + number % 5) + f"{number}?", "gold": "7"}
        for number in range(14)
    ]
    rows.append({"id": "long", "question": "which colour is the red? " * 90, "gold": "red"})
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "asked.yaml").write_text(yaml.safe_dump({**lm_eval_task(folder / "rows.jsonl"), "languages": ["de"]}))
    return folder


def lm_eval_task(data: Path) -> dict[str, Any]:
    return {
        "task": "asked",
        "output_type": "generate_until",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_target": "gold",
        "generation_kwargs": {"until": UNTIL, "do_sample": False, "max_gen_toks": 24},
        "filter_list": [
            {"name": "number", "filter": [{"function": "regex", "regex_pattern": r"(\d+)", "group_select": -1},
                                          {"function": "take_first"}]}
        ],
        "metric_list": [{"metric": "exact_match", "ignore_case": True, "ignore_punctuation": True}],
    }  # fmt: skip


def base_of(world: Path, kind: str) -> Base:
    return load_base(find_model(kind, revision=None, folder=world, built_in={}), precision="fp32", device="cpu")


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3"])
def test_texts_and_judgements_equal_lm_evals(world: Path, task_folder: Path, kind: str) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    model = HFLM(pretrained=str(world / kind), dtype="float32", device="cpu", batch_size=4)
    results = simple_evaluate(
        model=model,
        tasks=[lm_eval_task(task_folder / "rows.jsonl")],
        task_manager=TaskManager(include_defaults=False),
        log_samples=True,
        bootstrap_iters=0,
    )
    theirs = sorted(results["samples"]["asked"], key=lambda sample: sample["doc_id"])

    task = find_task("asked.yaml", folder=task_folder)
    items = load_cell(task, "de", sources={}, allow_generation=True).test
    rules = generation_rules(task, "de")
    base = base_of(world, kind)
    ours = generate_texts(
        base.network,
        base.tokenizer,
        [item.context for item in items],
        until=rules.until,
        max_new_tokens=rules.max_new_tokens,
        max_length=256,
    )
    assert ours == [sample["resps"][0][0] for sample in theirs]
    assert len(set(ours)) > 1
    assert [rules.answer_in(text) for text in ours] == [sample["filtered_resps"][0] for sample in theirs]
    assert [rules.is_right(text, item.choices) for text, item in zip(ours, items, strict=True)] == [
        bool(sample["exact_match"]) for sample in theirs
    ]


def test_stop_strings_end_a_text_and_are_not_part_of_it(world: Path) -> None:
    base = base_of(world, "llama")
    contexts = ["which colour is the red?", "quale è il numero"]
    free = generate_texts(base.network, base.tokenizer, contexts, until=(), max_new_tokens=20, max_length=256)
    stop = free[0][3:5]
    stopped = generate_texts(base.network, base.tokenizer, contexts, until=(stop,), max_new_tokens=20, max_length=256)
    assert stopped == [text.split(stop)[0] for text in free]


def test_tokens_that_end_a_text_leave_nothing_in_it(world: Path) -> None:
    base = base_of(world, "llama")
    contexts = ["which colour is the red?", "quale"]
    free = generate_texts(base.network, base.tokenizer, contexts, until=(), max_new_tokens=16, max_length=256)
    first = base.tokenizer.encode(contexts[0])
    with torch.no_grad():
        generated = base.network.generate(torch.tensor([first]), do_sample=False, max_new_tokens=16)[
            0, len(first) :
        ].tolist()
    ended = base.tokenizer.convert_ids_to_tokens(generated[5])
    base.tokenizer.add_special_tokens({"additional_special_tokens": [ended]})
    base.network.generation_config.eos_token_id = [1, generated[5]]
    stopped = generate_texts(base.network, base.tokenizer, contexts, until=(), max_new_tokens=16, max_length=256)
    assert stopped[0] == base.tokenizer.decode(generated[: generated.index(generated[5])])
    assert free[0].startswith(stopped[0])
    assert len(stopped[0]) < len(free[0])


def test_batches_do_not_change_a_text(world: Path) -> None:
    base = base_of(world, "qwen2")
    contexts = [f"which number is {'the ' * number}?" for number in range(9)]
    together = generate_texts(base.network, base.tokenizer, contexts, until=("\n",), max_new_tokens=12, max_length=256)
    one_by_one = [
        generate_texts(base.network, base.tokenizer, [context], until=("\n",), max_new_tokens=12, max_length=256)[0]
        for context in contexts
    ]
    assert together == one_by_one


def test_sampling_settings_of_the_model_do_not_sample(world: Path) -> None:
    base = base_of(world, "llama")
    call = {"until": (), "max_new_tokens": 12, "max_length": 256}
    greedy = generate_texts(base.network, base.tokenizer, ["which colour?"], **call)
    base.network.generation_config.update(do_sample=True, temperature=2.0, top_p=0.9)
    for seed in range(3):
        torch.manual_seed(seed)
        assert generate_texts(base.network, base.tokenizer, ["which colour?"], **call) == greedy


def test_an_answer_longer_than_the_model_is_refused(world: Path) -> None:
    base = base_of(world, "llama")
    with pytest.raises(InputError, match="max_gen_toks is 256, but the model reads 256 tokens in all"):
        generate_texts(base.network, base.tokenizer, ["a"], until=(), max_new_tokens=256, max_length=256)
