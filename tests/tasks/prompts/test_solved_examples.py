"""Solved items before other items: where they come from, and that they stand as lm-eval sets them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Example, Item
from donorgrid.tasks import draw_examples, find_task, load_cell, load_examples, with_examples
from donorgrid.tasks.lm_eval.examples import load_lm_eval_examples
from donorgrid.tasks.lm_eval.named_tasks import lm_eval_task

Write = Callable[..., Path]
KEYS = {
    "task": "quiz",
    "output_type": "multiple_choice",
    "dataset_path": "json",
    "training_split": "train",
    "test_split": "test",
    "doc_to_text": "{{q}} ->",
    "doc_to_choice": "c",
    "doc_to_target": "a",
}


def shelf(name: str, split: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{split}{n}", "question": f"{name} {split} {n}?", "choices": ["rot", "blau", "l'or"], "answer": n}
        for n in range(3)
    ]


def examples(path: Path, language: str = "de", reader: Any = shelf) -> tuple[Example, ...]:
    return load_examples(find_task(path.name, folder=path.parent), language, sources={"shelf": reader})


def test_they_are_the_training_items_solved_in_the_format_of_the_evaluation(write_task: Write) -> None:
    block = {"prompt": "not this: {{question}}", "target": "{{letter}}"}
    found = examples(write_task(train=block))
    assert [one.id for one in found] == ["train0", "train1", "train2"]
    assert found[1].text == "world/de train 1? blau\n\n"


def test_a_split_or_list_named_for_examples_comes_first(write_task: Write) -> None:
    named = examples(write_task(fewshot_split="dev", fewshot_delimiter="\n"))
    assert named[0] == Example(id="dev0", text="world/de dev 0? rot\n")
    config = {"samples": [{"question": "S?", "choices": ["u", "v"], "answer": 1}]}
    assert examples(write_task(fewshot_config=config)) == (Example(id="sample 0", text="S? v\n\n"),)


@pytest.mark.parametrize("key", ["fewshot_split", "fewshot_config"])
def test_the_split_that_is_scored_is_never_shown(write_task: Write, key: str) -> None:
    named = "test" if key == "fewshot_split" else {"split": "test"}
    assert {one.id for one in examples(write_task(**{key: named}))} == {"train0", "train1", "train2"}
    with pytest.raises(InputError, match="'colours' has no solved items to show in 'de': no training split"):
        examples(write_task(**{key: named}, training_split=None))


def test_an_item_that_asks_what_a_test_item_asks_is_never_shown(write_task: Write) -> None:
    def leaky(name: str, split: str) -> list[dict[str, Any]]:
        rows = shelf(name, split)
        return [{**rows[0], "question": "world/de test 1?"}, *rows[1:]] if split == "train" else rows

    assert [one.id for one in examples(write_task(), reader=leaky)] == ["train1", "train2"]


def test_items_held_out_for_training_are_shown(write_task: Write) -> None:
    path = write_task(training_split=None, hold_out={"train_share": 0.67})
    task = find_task(path.name, folder=path.parent)
    held = {text.item_id for text in load_cell(task, "de", sources={"shelf": shelf}).train}
    assert {one.id for one in examples(path)} == held
    assert len(held) == 2


def test_words_of_the_language_stand_in_examples_too(write_task: Write) -> None:
    words = {"de": {"so": "also"}, "fr": {"so": "donc"}}
    path = write_task(doc_to_text="{{question}} {{words.so}}", words=words, num_fewshot=1)
    assert examples(path, "fr")[0].text == "world/fr train 0? donc rot\n\n"
    task = find_task(path.name, folder=path.parent)
    own = load_cell(task, "de", sources={"shelf": shelf}).test[0].context
    assert own.count("also") == 2


def test_more_examples_begin_with_the_same_ones_and_another_seed_draws_others() -> None:
    pool = [Example(id=str(number), text=f"{number} ") for number in range(50)]
    eight = draw_examples(pool, 8, draw_seed=17)
    assert draw_examples(pool, 4, draw_seed=17) == eight[:4]
    assert draw_examples(pool, 8, draw_seed=42) != eight
    assert len({one.id for one in eight}) == 8
    with pytest.raises(InputError, match="51 solved examples are wanted, but there are only 50"):
        draw_examples(pool, 51, draw_seed=17)


def test_they_stand_between_the_description_and_the_question() -> None:
    item = Item(
        id="i",
        cell=Cell(task="t", language="de"),
        context="Answer. Why? So:",
        choices=("a", "b"),
        answer=0,
        messages=(("system", "Answer. "), ("user", "Why?"), ("assistant", "So:")),
    )
    shown = with_examples(item, [Example(id="1", text="One? a\n\n"), Example(id="2", text="Two? b\n\n")])
    assert shown.context == "Answer. One? a\n\nTwo? b\n\nWhy? So:"
    assert shown.messages == (("system", "Answer. "), ("user", "One? a\n\nTwo? b\n\nWhy?"), ("assistant", "So:"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"description": "Solve. ", "target_delimiter": "=", "fewshot_delimiter": " | "},
        {"gen_prefix": "So", "description": "D"},
        {"fewshot_config": {"doc_to_target": "{{c[a]}}!"}},
    ],
)
@pytest.mark.parametrize("chat", [False, True])
def test_a_prompt_is_the_one_that_lm_eval_makes_of_the_same_examples(
    tmp_path: Path, changes: dict[str, Any], chat: bool
) -> None:
    """lm-eval is told the drawn documents as its list of samples, in their order."""
    lm_task = pytest.importorskip("lm_eval.api.task")
    rows = {
        split: [{"q": f"Was {split} {n}?", "c": [f"ja {n}", "nein"], "a": n % 2} for n in range(6)]
        for split in ("train", "test")
    }
    for split, documents in rows.items():
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents))
    files = {split: f"{split}.jsonl" for split in rows}
    ours = {**KEYS, "languages": ["de"], "dataset_kwargs": {"data_files": files}, **changes}
    (tmp_path / "quiz.yaml").write_text(json.dumps(ours))
    task = find_task("quiz.yaml", folder=tmp_path)
    drawn = draw_examples(load_examples(task, "de", sources={}), 3, draw_seed=5)
    items = [with_examples(item, drawn) for item in load_cell(task, "de", sources={}).test]

    samples = [rows["train"][int(one.id)] for one in drawn]
    config = {**changes.get("fewshot_config", {}), "samples": samples, "sampler": "first_n"}
    absolute = {"data_files": {split: str(tmp_path / name) for split, name in files.items()}}
    theirs = lm_task.ConfigurableTask(
        config={
            **KEYS,
            **changes,
            "dataset_kwargs": {**absolute, "cache_dir": str(tmp_path / "cache")},
            "fewshot_config": config,
            "num_fewshot": 3,
        }
    )

    def as_chat(messages: list[dict[str, str]], **_: bool) -> str:
        return "".join(f"<{turn['role']}>{turn['content']}" for turn in messages)

    theirs.build_all_requests(apply_chat_template=chat, chat_template=as_chat if chat else None)
    requests = {(one.doc_id, one.args) for one in theirs.instances}
    assert requests == {
        (number, (_context(item, as_chat) if chat else item.context, delimiter + choice))
        for number, item in enumerate(items)
        for delimiter in [item.chat_delimiter if chat else item.delimiter]
        for choice in item.choices
    }


def _context(item: Item, as_chat: Callable[..., str]) -> str:
    turns = item.messages or (("user", item.context),)
    return as_chat([{"role": role, "content": text} for role, text in turns])


@pytest.mark.filterwarnings("ignore")
def test_a_task_of_lm_eval_shows_its_training_items(tmp_path: Path) -> None:
    lm_tasks = pytest.importorskip("lm_eval.tasks")
    for split in ("train", "test"):
        rows = [{"q": f"{split} {n}", "c": ["x", "y"], "a": n} for n in range(2)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "test")}
    keys = {**KEYS, "task": "quiz_de", "dataset_kwargs": {"data_files": files, "cache_dir": str(tmp_path / "cache")}}
    (tmp_path / "lm").mkdir()
    (tmp_path / "lm" / "quiz_de.yaml").write_text(json.dumps({**keys, "fewshot_split": "test"}))
    registry = lm_tasks.TaskManager(include_path=str(tmp_path / "lm"), include_defaults=False)
    task = lm_eval_task("quiz_de", languages=["de"], registry=registry)
    found = load_lm_eval_examples(task, "de", registry=registry)
    assert found == (Example(id="0", text="train 0 -> x\n\n"), Example(id="1", text="train 1 -> y\n\n"))
