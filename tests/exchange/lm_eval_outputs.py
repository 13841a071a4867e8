"""lm-eval outputs written by hand, in the form of lm-eval 0.4.13, for cases that a real run would be slow to reach."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import yaml

DATE = "2026-01-02T03-04-05.678901"
LANGUAGES = ("de", "it")


def sample_rows(task: str, *, seed: int, count: int = 20, filters: tuple[str, ...] = ("none",)) -> list[dict[str, Any]]:
    """Rows of a samples file: the documents depend on the task alone, the answers on the seed."""
    rows = []
    for number in range(count):
        document = {"id": f"q{number}", "question": f"{task} {number}?", "choices": ["a", "bb", "ccc"], "answer": 1}
        digest = hashlib.sha256(json.dumps(document).encode()).hexdigest()
        draw = random.Random(f"{task}{seed}{number}")
        nats = [draw.uniform(-9, -1) for _ in range(3)]
        norm = [one / len(choice) for one, choice in zip(nats, document["choices"], strict=True)]
        options = {f"gen_args_{n}": {"arg_0": document["question"], "arg_1": f" {one}"}
                   for n, one in enumerate(document["choices"])}  # fmt: skip
        for name in filters:
            rows.append(
                {"doc_id": number, "doc": document, "target": "1", "arguments": options,
                 "filtered_resps": [[repr(one), "False"] for one in nats], "filter": name, "doc_hash": digest,
                 "prompt_hash": digest[:16], "acc": float(nats.index(max(nats)) == 1),
                 "acc_norm": float(norm.index(max(norm)) == 1)}
            )  # fmt: skip
    return rows


def write_output(
    folder: Path, *, seed: int, peft: str | None = None, languages: tuple[str, ...] = LANGUAGES, date: str = DATE,
    log_samples: bool = True, **changes: Any,
) -> Path:  # fmt: skip
    """One results file with its samples; ``changes`` replace keys of the results file."""
    folder.mkdir(parents=True, exist_ok=True)
    results, counts = {}, {}
    for language in languages:
        name = f"quiz_{language}"
        rows = sample_rows(name, seed=seed)
        shares = {metric: sum(row[metric] for row in rows) / len(rows) for metric in ("acc", "acc_norm")}
        results[name] = {"alias": name, "acc,none": shares["acc"], "acc_stderr,none": 0.1,
                         "acc_norm,none": shares["acc_norm"], "acc_norm_stderr,none": "N/A"}  # fmt: skip
        counts[name] = {"original": len(rows), "effective": len(rows)}
        if log_samples:
            write_rows(folder / f"samples_{name}_{date}.jsonl", rows)
    content = {
        "results": results,
        "group_subtasks": {name: [] for name in results},
        "configs": {name: {"task": name, "target_delimiter": " "} for name in results},
        "versions": dict.fromkeys(results, 1.0),
        "n-shot": dict.fromkeys(results, 0),
        "n-samples": counts,
        "config": {"model": "hf", "model_args": {"pretrained": "org/Qwen2.5-0.5B", **({"peft": peft} if peft else {})},
                   "model_num_parameters": 494_000_000},
        "chat_template": None,
        "chat_template_sha": None,
        **changes,
    }  # fmt: skip
    path = folder / f"results_{date}.json"
    path.write_text(json.dumps(content))
    return path


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


RUNS = {
    "base": {"model": "qwen", "baseline": True},
    "de": {"model": "qwen", "source": "quiz/de", "train_seed": 17},
    "it": {"model": "qwen", "source": "quiz/it", "train_seed": 17},
}


def write_mapping(root: Path, **changes: Any) -> Path:
    """A mapping of three runs; a change of None removes a key."""
    content = {"tasks": {"quiz_{language}": "quiz"}, "runs": RUNS, "id_field": "id", **changes}
    path = root / "map.yaml"
    path.write_text(yaml.safe_dump({key: one for key, one in content.items() if one is not None}, sort_keys=False))
    return path


def write_runs(root: Path, **changes: Any) -> Path:
    """A base model and two fine-tunes with their mapping; ``changes`` go to every results file."""
    for seed, (name, run) in enumerate(RUNS.items()):
        write_output(root / name, seed=seed, peft=None if run.get("baseline") else f"adapters/{name}", **changes)
    return write_mapping(root)
