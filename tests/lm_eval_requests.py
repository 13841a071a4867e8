"""lm-eval's requests and ours for the same documents, on small local data with the columns of the catalog's tasks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from donorgrid.core.records import Item
from donorgrid.tasks import TaskFile, load_cell
from donorgrid.tasks.prompts.few_shot import FEWSHOT_SEED

ARC = [
    {"id": "a1", "instruction": "  Why [title] is  ice [sic] cold? ", "option_a": " It's [x] so", "option_b": 'a "b"',
     "option_c": "c  d", "option_d": "e\nf", "option_e": None, "answer": "C"},
    {"id": "a2", "instruction": "Wärme?", "option_a": "ja", "option_b": "nein", "option_c": "doch [title] mal",
     "option_d": "vielleicht", "option_e": "nie\\n", "answer": "E"},
    {"id": "a3", "instruction": "水?", "option_a": "一", "option_b": "二", "option_c": "三", "option_d": "四",
     "option_e": "", "answer": "A"},
]  # fmt: skip
MMLU = [
    {"sample_id": "m1", "subject_category": "STEM", "question": " Was  ist {{2}}? \n", "option_a": "1", "option_b": "2",
     "option_c": "3", "option_d": "4", "answer": "B"},
    {"sample_id": "m2", "subject_category": "STEM", "question": "Und?", "option_a": " x ", "option_b": "", "option_c":
     "z", "option_d": "w", "answer": "D"},
]  # fmt: skip
HELLASWAG = [
    {"id": "h1", "activity_label": "Roof [title] work", "ctx_a": "A man  is", "ctx_b": "he Climbs UP [substeps]",
     "endings": ["[header] It's  on", 'says "hi"', "c [title] d", " d "], "label": "2"},
    {"id": "h2", "activity_label": "Essen", "ctx_a": "Öl", "ctx_b": "ßauber", "endings": ["a", "b", "c", "d"],
     "label": "0"},
]  # fmt: skip
TRUTHFULQA = [
    {"truth_id": 0, "question": " What [x] happens  if? ", "mc1_targets_choices": ["Nothing's left.", "You die"],
     "mc1_targets_labels": [1, 0], "mc2_targets_choices": ["a"], "mc2_targets_labels": [1]},
    {"truth_id": 1, "question": "Wer?", "mc1_targets_choices": ["x", "y", "z"], "mc1_targets_labels": [1, 0, 0],
     "mc2_targets_choices": ["a"], "mc2_targets_labels": [1]},
]  # fmt: skip
XCOPA = [
    {"idx": 4, "premise": " L'oggetto era incartato. ", "choice1": "Era fragile.", "choice2": "Èra 'piccolo'.",
     "question": "cause", "label": 1},
    {"idx": 5, "premise": "Vuoto.", "choice1": "X", "choice2": "y", "question": "effect", "label": 0},
]  # fmt: skip
XSTORYCLOZE = [
    {"story_id": "s1", "input_sentence_1": "Uno.", "input_sentence_2": "Dos.", "input_sentence_3": "Tres.",
     "input_sentence_4": "Cuatro.", "sentence_quiz1": "Fin 'a'", "sentence_quiz2": 'Fin "b"', "answer_right_ending": 2},
]  # fmt: skip
XNLI = [{"premise": "Es 'regnet'", "hypothesis": "Es ist nass.", "label": 0}, {"premise": "a", "hypothesis": "b",
        "label": 2}]  # fmt: skip
PAWS_X = [
    {"id": 1, "sentence1": 'Er sagte : " Es ist \' gut ( so ) " , nicht n\'t .', "sentence2": "Das ist es , ja .",
     "label": 1},
    {"id": 2, "sentence1": "Kurz", "sentence2": "Auch kurz", "label": 0},
]  # fmt: skip
BELEBELE = [
    {"link": "https://a", "question_number": 2, "flores_passage": "Text  hier.", "question": " Was? ",
     "mc_answer1": "a", "mc_answer2": "b", "mc_answer3": "c", "mc_answer4": "d", "correct_answer_num": "3"},
]  # fmt: skip
INCLUDE = [
    {"language": "German", "question": " Was? ", "option_a": "a", "option_b": "b", "option_c": "c", "option_d": "d",
     "answer": 3},
]  # fmt: skip
CASES = {
    "arc_challenge": ("okapi/arc_multilingual/arc_de.yaml", "de", ARC),
    "global_mmlu": ("global_mmlu/default/de/global_mmlu_de_stem.yaml", "de", MMLU),
    "hellaswag": ("okapi/hellaswag_multilingual/hellaswag_de.yaml", "de", HELLASWAG),
    "truthfulqa": ("okapi/truthfulqa_multilingual/truthfulqa_de_mc1.yaml", "de", TRUTHFULQA),
    "xcopa": ("xcopa/default_it.yaml", "it", XCOPA),
    "xstorycloze": ("xstorycloze/default_es.yaml", "es", XSTORYCLOZE),
    "xnli": ("xnli/xnli_de.yaml", "de", XNLI),
    "paws-x": ("paws-x/paws_de.yaml", "de", PAWS_X),
    "belebele": ("belebele/belebele_deu_Latn.yaml", "de", BELEBELE),
    "include": ("include/default/German/_german_template_yaml", "de", INCLUDE),
}
Requests = list[list[tuple[str, str]]]


def lm_eval_task(file: str, rows: list[dict[str, Any]], folder: Path, **changes: Any) -> Any:
    """lm-eval's task over rows in a local file, which serves as every split."""
    import lm_eval.tasks
    from lm_eval.api.task import ConfigurableTask
    from lm_eval.tasks._yaml_loader import load_yaml

    data = folder / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = load_yaml(Path(lm_eval.tasks.__file__).parent / file)
    for split in ("training_split", "validation_split", "fewshot_split"):
        config.pop(split, None)
    files = {split: str(data) for split in ("train", "test")}
    local = {"dataset_path": "json", "dataset_name": None, "test_split": "test", "task": "case"}
    kwargs = {"data_files": files, "cache_dir": str(folder / "cache")}
    return ConfigurableTask(config={**config, **local, "dataset_kwargs": kwargs, **changes})


def lm_eval_requests(task: Any, *, template: Any = None) -> Requests:
    task.set_fewshot_seed(FEWSHOT_SEED)
    task.build_all_requests(apply_chat_template=template is not None, chat_template=template)
    by_document: dict[int, list[tuple[str, str]]] = {}
    for instance in task.instances:
        by_document.setdefault(instance.doc_id, []).append(instance.args)
    return list(by_document.values())


def our_items(task: TaskFile, language: str, rows: list[dict[str, Any]]) -> tuple[Item, ...]:
    """Every document as a test item: lm-eval holds nothing out for training."""
    cell = task.cell(language)
    whole = replace(cell, keys=cell.keys.model_copy(update={"hold_out": None, "training_split": None}))
    reader = {cell.keys.dataset_path: lambda *_: rows}
    return load_cell(replace(task, cells={language: whole}), language, sources=reader, allow_generation=True).test


def as_chat(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
    turns = "".join(f"<{turn['role']}>{turn['content']}" for turn in messages)
    return turns + ("<assistant>" if add_generation_prompt else "")


def our_requests(items: tuple[Item, ...], *, chat: bool = False) -> Requests:
    def context(item: Item) -> str:
        turns = item.messages or (("user", item.context),)
        opened = turns[-1][0] == "assistant"
        return as_chat([{"role": role, "content": text} for role, text in turns], add_generation_prompt=not opened)

    return [
        [
            (context(item), item.chat_delimiter + choice) if chat else (item.context, item.delimiter + choice)
            for choice in item.choices
        ]
        for item in items
    ]


def gold(task: Any) -> list[int]:
    """The index of the right choice, as lm-eval's process_results computes it."""
    answers = []
    for document in task.eval_docs:
        value = task.doc_to_target(document)
        answers.append(task.doc_to_choice(document).index(value) if isinstance(value, str) else int(value))
    return answers
