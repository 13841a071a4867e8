"""Scoring as the release and the peer do it: lm-eval in this process, or by its command."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from transformers import AutoTokenizer

from donorgrid.bench.workload import Workload
from donorgrid.core.errors import InputError, RunFailure

Answers = dict[str, list[int]]
"""Target to the index of the chosen option of each item."""


def task_of(workload: Workload, target: str) -> dict[str, Any]:
    """The configuration of a target as an lm-eval task.

    Parameters
    ----------
    workload
        Has the target's questions on disk.
    target
        The target's name.

    Returns
    -------
    dict
        For ``ConfigurableTask``, or as YAML.
    """
    return {
        "task": target,
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(workload.documents(target))}},
        "test_split": "test",
        "doc_to_text": "{{text}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }


def lm_eval_in_process(
    network: Any, workload: Workload, targets: Sequence[str], *, batch_size: int, limit: int
) -> Answers:
    """Scores targets with lm-eval in this process.

    Parameters
    ----------
    network
        The model in memory.
    workload
        Gives the tokenizer and the questions.
    targets
        Names of targets.
    batch_size
        lm-eval's batch size.
    limit
        The first items of each target.

    Returns
    -------
    dict of str to list of int
        Target to the index of the chosen option of each item.

    Raises
    ------
    InputError
        If lm-eval is not installed.
    """
    if find_spec("lm_eval") is None:
        raise InputError("lm-eval is not installed; install donorgrid[lm-eval]")
    evaluate = import_module("lm_eval").evaluate
    make_task = import_module("lm_eval.api.task").ConfigurableTask
    make_model = import_module("lm_eval.models.huggingface").HFLM
    tokenizer = AutoTokenizer.from_pretrained(workload.checkpoint)
    model = make_model(pretrained=network, tokenizer=tokenizer, batch_size=batch_size, softmax_dtype="float32")
    tasks = {target: make_task(config=task_of(workload, target)) for target in targets}
    chat = {"apply_chat_template": True} if workload.chat_template else {}
    results = evaluate(model, tasks, log_samples=True, bootstrap_iters=0, limit=limit, **chat)
    return {target: _chosen(results["samples"][target]) for target in targets}


def lm_eval_command(
    folder: Path, workload: Workload, targets: Sequence[str], *, batch_size: int, limit: int
) -> Answers:
    """Scores targets with lm-eval's command, which loads the model in a process of its own.

    Parameters
    ----------
    folder
        The model's folder; the answers are written there.
    workload, targets, batch_size, limit
        As in ``lm_eval_in_process``.

    Returns
    -------
    dict of str to list of int
        Target to the index of the chosen option of each item.

    Raises
    ------
    RunFailure
        If the command fails.
    """
    tasks = workload.folder / "tasks"
    tasks.mkdir(exist_ok=True)
    for target in targets:
        (tasks / f"{target}.yaml").write_text(yaml.safe_dump(task_of(workload, target)), encoding="utf-8")
    dtype = {"fp32": "float32", "bf16": "bfloat16"}[workload.precision]
    out = folder / "answers"
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--tasks", *targets]
    command += ["--model_args", f"pretrained={folder},dtype={dtype},softmax_dtype=float32"]
    command += ["--include_path", str(tasks), "--batch_size", str(batch_size), "--limit", str(limit)]
    command += ["--output_path", str(out), "--log_samples"]
    settings = {"OMP_NUM_THREADS": str(workload.threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunFailure(f"lm-eval's command failed: {done.stderr.strip().splitlines()[-1]}")
    answers = {}
    for target in targets:
        (newest,) = sorted(out.rglob(f"samples_{target}_*.jsonl"))[-1:]
        lines = newest.read_text(encoding="utf-8").splitlines()
        answers[target] = _chosen([json.loads(line) for line in lines])
    return answers


def _chosen(samples: Sequence[dict[str, Any]]) -> list[int]:
    ordered = sorted(samples, key=lambda record: int(record["doc_id"]))
    nats = [[float(option[0]) for option in record["filtered_resps"]] for record in ordered]
    return [max(range(len(options)), key=options.__getitem__) for options in nats]
