"""The two other ways' parts: HF's Trainer with PEFT, and lm-eval in process or by its command."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from donorgrid.bench.workload import Work, training_texts
from donorgrid.core.errors import InputError, RunFailure
from donorgrid.models.loading import DTYPES
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train.encode import encode_texts

Rows = list[dict[str, list[int]]]
Answers = dict[str, list[int]]


def load(folder: Path, work: Work) -> Any:
    """The model in a folder, in the benchmark's precision."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPES[work.precision])


def training_rows(work: Work, *, n_texts: int) -> tuple[Rows, Rows]:
    """Tokenised rows to train on and to validate with, a tenth of them."""
    tokenizer = AutoTokenizer.from_pretrained(work.checkpoint)
    encoded = encode_texts(training_texts(work.texts.train[:n_texts]), tokenizer)
    rows = [
        {
            "input_ids": list(text.token_ids),
            "labels": [token if read else -100 for token, read in zip(text.token_ids, text.supervised, strict=True)],
        }
        for text in encoded
    ]
    n_validation = math.ceil(0.1 * len(rows))
    return rows[n_validation:], rows[:n_validation]


def train(network: Any, work: Work, rows: tuple[Rows, Rows], *, pad_to: int | None, folder: Path) -> Any:
    """Train a LoRA adapter with HF's Trainer; each batch is padded to ``pad_to``, or to its longest text."""
    recipe = work.recipe
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(recipe.target_modules),
        task_type="CAUSAL_LM",
    )
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
        n_steps = math.ceil(len(rows[0]) / recipe.batch_size) * recipe.epochs
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=math.ceil(recipe.warmup_share * n_steps),
            max_grad_norm=recipe.max_grad_norm,
            bf16=work.precision == "bf16",
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
            save_only_model=True,
            report_to=[],
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
            logging_strategy="no",
        )
        trainer = Trainer(
            adapted,
            arguments,
            train_dataset=rows[0],
            eval_dataset=rows[1],
            data_collator=lambda texts: _pad(texts, pad_to),
        )
        trainer.train()
    return adapted


def _pad(texts: Sequence[dict[str, list[int]]], pad_to: int | None) -> dict[str, torch.Tensor]:
    width = pad_to or max(len(text["input_ids"]) for text in texts)
    short = [width - len(text["input_ids"]) for text in texts]
    return {
        "input_ids": torch.tensor([text["input_ids"] + [2] * gap for text, gap in zip(texts, short, strict=True)]),
        "labels": torch.tensor([text["labels"] + [-100] * gap for text, gap in zip(texts, short, strict=True)]),
        "attention_mask": torch.tensor(
            [[1] * len(text["input_ids"]) + [0] * gap for text, gap in zip(texts, short, strict=True)]
        ),
    }


def task_of(work: Work, target: str) -> dict[str, Any]:
    """A target as a task of lm-eval."""
    return {
        "task": target,
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(work.documents(target))}},
        "test_split": "test",
        "doc_to_text": "{{text}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }


def lm_eval_in_process(network: Any, work: Work, targets: Sequence[str], *, batch_size: int, limit: int) -> Answers:
    """What lm-eval chooses on each item of each target, with a network in memory. InputError without lm-eval."""
    if find_spec("lm_eval") is None:
        raise InputError("lm-eval is not installed; install donorgrid[lm-eval]")
    evaluate = import_module("lm_eval").evaluate
    make_task = import_module("lm_eval.api.task").ConfigurableTask
    make_model = import_module("lm_eval.models.huggingface").HFLM
    tokenizer = AutoTokenizer.from_pretrained(work.checkpoint)
    model = make_model(pretrained=network, tokenizer=tokenizer, batch_size=batch_size, softmax_dtype="float32")
    tasks = {target: make_task(config=task_of(work, target)) for target in targets}
    found = evaluate(model, tasks, log_samples=True, bootstrap_iters=0, limit=limit)
    return {target: _chosen(found["samples"][target]) for target in targets}


def lm_eval_command(folder: Path, work: Work, targets: Sequence[str], *, batch_size: int, limit: int) -> Answers:
    """The same by lm-eval's command, which loads the model from a folder in a process of its own."""
    tasks = work.folder / "tasks"
    tasks.mkdir(exist_ok=True)
    for target in targets:
        (tasks / f"{target}.yaml").write_text(yaml.safe_dump(task_of(work, target)), encoding="utf-8")
    dtype = {"fp32": "float32", "bf16": "bfloat16"}[work.precision]
    out = folder / "answers"
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--tasks", *targets]
    command += ["--model_args", f"pretrained={folder},dtype={dtype},softmax_dtype=float32"]
    command += ["--include_path", str(tasks), "--batch_size", str(batch_size), "--limit", str(limit)]
    command += ["--output_path", str(out), "--log_samples"]
    settings = {"OMP_NUM_THREADS": str(work.threads), "HF_HUB_OFFLINE": "1"}
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
    ordered = sorted(samples, key=lambda one: int(one["doc_id"]))
    nats = [[float(option[0]) for option in one["filtered_resps"]] for one in ordered]
    return [max(range(len(options)), key=options.__getitem__) for options in nats]
