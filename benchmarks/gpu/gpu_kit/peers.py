"""The same work by lm-eval and by HF's Trainer, and how many times as long they take."""

import time
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainingArguments

from donorgrid.models.gpu.ways import ALL_WAYS
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.score.scorer import Scorer
from gpu_kit.correctness import MAX_LENGTH, items_of, lm_eval_parts, shape_of
from gpu_kit.machine import card, shortest, wait
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import Shape, make_base, make_network
from gpu_kit.training_checks import pad, rows_of
from gpu_kit.training_speed import corpus_of, n_texts, recipe_of_epochs
from gpu_kit.work import TASKS

_N_ITEMS = 100
_BATCH_SIZES = (16, 64, 128)


def scoring_peer(name: str, settings: Settings, report: Report) -> None:
    """lm-eval in process, at several batch sizes, and donorgrid in each way, on the same items in bf16."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    n_items = 4 if settings.tiny else _N_ITEMS
    items = items_of(shape, settings, n_items)
    report(model=name, precision="bf16", card=card(settings.device), n_items=len(items))
    ours = {}
    for way in ALL_WAYS[:1] if settings.tiny else ALL_WAYS:
        scorer = Scorer(make_base(network, way).reader, max_length=MAX_LENGTH)
        targets = [scorer.pack(items[start : start + n_items]) for start in range(0, len(items), n_items)]
        ours[way] = shortest(lambda: [scorer.score(target) for target in targets], settings.device, repeats=2)  # noqa: B023
        report(**{f"donorgrid, {way}, seconds": ours[way]})
    theirs = {}
    for batch_size in _BATCH_SIZES[: 1 if settings.tiny else None]:
        evaluate, model, task = lm_eval_parts(network, shape, items, settings.work, batch_size=batch_size)
        start = time.perf_counter()
        try:
            evaluate(model, {"kit": task}, bootstrap_iters=0)
        except torch.OutOfMemoryError:
            break
        wait(settings.device)
        theirs[batch_size] = time.perf_counter() - start
        report(**{f"lm-eval, batch {batch_size}, seconds": theirs[batch_size]})
    report(ratio=min(theirs.values()) / min(ours.values()), ok=bool(theirs))


def training_peer(name: str, settings: Settings, report: Report) -> None:
    """HF's Trainer with dynamic padding on the texts of one epoch of each task; seconds per adapter."""
    shape = shape_of(name, settings)
    network = make_network(shape, dtype=torch.bfloat16, device=settings.device)
    report(model=name, precision="bf16", card=card(settings.device), **n_texts(settings))
    tasks = list(TASKS)[: 1 if settings.tiny else None]
    seconds = [_by_trainer(network, shape, task, settings) for task in ["arc_challenge", *tasks]][1:]
    report(seconds_per_adapter=sum(seconds) / len(seconds))
    ours = settings.results.get(f"training speed {name}", {})
    if "seconds_per_adapter_and_epoch" in ours:
        our_seconds = ours["fixed_seconds_per_adapter"] + ours["seconds_per_adapter_and_epoch"]
        report(ratio=sum(seconds) / len(seconds) / our_seconds)
    report(ok=True)


def _by_trainer(network: Any, shape: Shape, task: str, settings: Settings) -> float:
    recipe, corpus = recipe_of_epochs(1), corpus_of(shape, task, settings, 0)
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=list(recipe.target_modules), task_type="CAUSAL_LM"
    )
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
    arguments = TrainingArguments(
        output_dir=str(settings.work / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.n_warmup_steps(len(corpus.train)),
        max_grad_norm=recipe.max_grad_norm,
        bf16=settings.device != "cpu",
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=settings.device == "cpu",
    )
    trainer = Trainer(
        adapted,
        arguments,
        train_dataset=rows_of(corpus.train),
        eval_dataset=rows_of(corpus.validation),
        data_collator=pad,
    )
    wait(settings.device)
    start = time.perf_counter()
    trainer.train()
    wait(settings.device)
    seconds = time.perf_counter() - start
    adapted.unload()
    network.requires_grad_(False).eval()
    return seconds
