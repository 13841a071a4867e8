"""Reads lm-eval's files: a results JSON, and next to it a samples JSONL for every task if samples were logged."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError

_ROW: dict[str, type] = {
    "doc": object,
    "doc_hash": str,
    "prompt_hash": str,
    "target": object,
    "filter": str,
    "filtered_resps": list,
}
"""The keys of a row that are read, and their types."""
_SAME_FOR_ALL = ("chat_template_sha", "system_instruction_sha", "fewshot_as_multiturn")


@dataclass(frozen=True, kw_only=True)
class TaskOutput:
    """One lm-eval task in one results file.

    ``scores`` are keyed ``metric,filter`` as lm-eval writes them. ``conditions`` must be equal for scores to be
    compared: task version, number of shots, chat template, system instruction. ``samples`` is None without
    ``--log_samples``.
    """

    name: str
    scores: Mapping[str, float]
    n_items: int | None
    conditions: Mapping[str, object]
    delimiter: str
    samples: Path | None


@dataclass(frozen=True, kw_only=True)
class Output:
    """One results file: when it was written, which model and adapter it names, its tasks and groups of tasks."""

    path: Path
    date: str
    pretrained: str | None
    peft: str | None
    n_parameters: int
    tasks: Mapping[str, TaskOutput]
    groups: Mapping[str, tuple[str, ...]]


def find_outputs(paths: Iterable[Path]) -> list[Output]:
    """Reads every results file among ``paths`` (files, or folders with all subfolders), in the order of their names.

    Raises InputError if a path does not exist or holds no results file, or lm-eval did not write a file.
    """
    outputs: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        files = [path] if path.is_file() else sorted(path.rglob("results_*.json"))
        if not files:
            raise InputError(f"{path}: holds no results_*.json of lm-eval (written by 'lm_eval --output_path')")
        outputs.update(dict.fromkeys(files))
    return [read_output(path) for path in outputs]


def read_output(path: Path) -> Output:
    """Reads a results file. Raises InputError if lm-eval did not write it."""
    content = _json_object(path)
    results = content.get("results")
    if not isinstance(results, dict) or not all(isinstance(scores, dict) for scores in results.values()):
        raise InputError(f"{path}: no results of lm-eval: the key 'results' is missing or no object of objects")
    config = _objects(content, "config")
    arguments = _model_arguments(config)
    n_parameters = config.get("model_num_parameters")
    date = path.name.removesuffix(".json").rpartition("_")[2]
    groups = {
        name: tuple(map(str, below))
        for name, below in _objects(content, "group_subtasks").items()
        if isinstance(below, list) and below
    }
    return Output(
        path=path,
        date=date,
        pretrained=arguments.get("pretrained") or _text(content.get("model_name")),
        peft=arguments.get("peft"),
        n_parameters=n_parameters if isinstance(n_parameters, int) else 0,
        tasks={
            name: _task(name, scores, content, path.with_name(f"samples_{name}_{date}.jsonl"))
            for name, scores in results.items()
            if name not in groups
        },
        groups=groups,
    )


def read_sample_rows(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a samples file. Raises InputError, with the line, for a row that lm-eval does not write."""
    rows = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    rows.append(_row(line, f"{path}: line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    if not rows:
        raise InputError(f"{path}: holds no rows")
    return rows


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON ({getattr(error, 'msg', 'nested too deep')})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where} is no JSON object")
    for key, kind in _ROW.items():
        if key not in row:
            raise InputError(f"{where} has no key '{key}', which lm-eval writes from version 0.4.3 on")
        if not isinstance(row[key], kind):
            raise InputError(f"{where}: '{key}' is {str(row[key])[:40]!r}, which lm-eval does not write")
    return row


def _task(name: str, scores: dict[str, Any], content: dict[str, Any], samples: Path) -> TaskOutput:
    counted = _objects(content, "n-samples").get(name)
    n_items = counted.get("effective") if isinstance(counted, dict) else None
    config = _objects(content, "configs").get(name)
    chat = content.get("chat_template") is not None
    config = config if isinstance(config, dict) else {}
    opened = config.get("gen_prefix")
    bare = chat and not (isinstance(opened, str) and opened and not opened[-1].isspace())
    return TaskOutput(
        name=name,
        scores={key: float(value) for key, value in scores.items() if _is_score(key, value)},
        n_items=n_items if isinstance(n_items, int) else None,
        conditions={
            "task version": _objects(content, "versions").get(name),
            "n-shot": _objects(content, "n-shot").get(name),
            **{key: content.get(key) for key in _SAME_FOR_ALL},
        },
        # Under a chat template lm-eval writes no delimiter, unless the opened answer ends without whitespace.
        delimiter="" if bare else str(config.get("target_delimiter", " ")),
        samples=samples if samples.is_file() else None,
    )


def _is_score(key: str, value: object) -> bool:
    return "," in key and "_stderr" not in key and isinstance(value, int | float) and not isinstance(value, bool)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({getattr(error, 'msg', 'nested too deep')})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: no results of lm-eval: expected a JSON object")
    return content


def _objects(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _model_arguments(config: dict[str, Any]) -> dict[str, str]:
    """Returns ``model_args``, which is an object or the text of the command line."""
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    return {key: str(value) for key, value in given.items() if value} if isinstance(given, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
