"""The requests of catalog tasks and prompts equal those of lm-eval, character by character."""

import pytest

from donorgrid.tasks import find_task
from lm_eval_requests import CASES, as_chat, gold, lm_eval_requests, lm_eval_task, our_items, our_requests

pytest.importorskip("lm_eval")
pytestmark = pytest.mark.filterwarnings("ignore")  # warnings of lm-eval and of what it imports


@pytest.mark.parametrize("name", CASES)
def test_catalog_requests_equal_lm_evals(name, tmp_path):
    file, language, rows = CASES[name]
    ours = our_items(find_task(name, folder=tmp_path), language, rows)
    theirs = lm_eval_task(file, rows, tmp_path)
    assert our_requests(ours) == lm_eval_requests(theirs)
    assert our_requests(ours, chat=True) == lm_eval_requests(theirs, template=as_chat)
    assert [item.answer for item in ours] == gold(theirs)


@pytest.mark.parametrize(
    "change",
    [
        {"num_fewshot": 2, "fewshot_split": "train"},
        {"num_fewshot": 2, "fewshot_split": "test"},
        {"num_fewshot": 1, "fewshot_split": "test", "fewshot_config": {"sampler": "first_n"}},
        {"num_fewshot": 2, "fewshot_config": {"samples": [{"q": "S?", "c": ["u", "v"], "a": 1}] * 3}},
        {"num_fewshot": 1, "fewshot_split": "train", "fewshot_config": {"doc_to_target": "{{c[a]}}!",
                                                                        "fewshot_delimiter": " | "}},
        {"description": "Solve {{q}}:\n\n"},
        {"description": "Solve. ", "num_fewshot": 2, "fewshot_split": "train", "target_delimiter": "="},
        {"gen_prefix": "It is"},
        {"gen_prefix": "It is "},
        {"gen_prefix": "{{q}}", "num_fewshot": 1, "fewshot_split": "train", "description": "D"},
        {"doc_to_text": "q", "doc_to_choice": ["x", "y", "z"], "doc_to_target": "{{a}}"},
        {"doc_to_choice": {"first": "x", "second": "y", "third": "z"}, "doc_to_target": "{{['x', 'y', 'z'][a]}}"},
    ],
    ids=str,
)  # fmt: skip
def test_prompts_are_joined_as_lm_eval_joins_them(change, tmp_path, write_task, load):
    rows = [{"q": f"Frage {n}? ", "c": [f"a{n}", "b", "c"], "a": n % 3} for n in range(7)]
    base = {"task": "case", "output_type": "multiple_choice", "doc_to_text": "{{q}}", "doc_to_choice": "{{c}}",
            "doc_to_target": "a", "metric_list": [{"metric": "acc"}]}  # fmt: skip
    empty = tmp_path / "empty.yaml"
    empty.write_text("task: case\n")
    theirs = lm_eval_task(str(empty), rows, tmp_path, **{**base, **change})
    ours = load(write_task(**{**base, "id_column": None, "training_split": None, **change}), reader=lambda *_: rows)
    assert our_requests(ours.test) == lm_eval_requests(theirs)
    assert our_requests(ours.test, chat=True) == lm_eval_requests(theirs, template=as_chat)


@pytest.mark.parametrize("task", ["xnli", "paws-x", "xcopa", "belebele"])
def test_every_language_of_lm_eval_has_its_prompt(task, tmp_path):
    """The catalog's words give, in each language, what lm-eval's own file of that language gives."""
    file, known, rows = CASES[task]
    ours = find_task(task, folder=tmp_path)
    prefix = file.removesuffix(f"{ours.cell(known).keys.dataset_name}.yaml")
    for language in ours.languages if task != "belebele" else ours.languages[:3]:
        theirs = lm_eval_task(f"{prefix}{ours.cell(language).keys.dataset_name}.yaml", rows, tmp_path)
        assert our_requests(our_items(ours, language, rows)) == lm_eval_requests(theirs), language
