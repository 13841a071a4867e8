"""Training as the release and the peer do it: HF's Trainer with PEFT."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from donorgrid.bench.workload import Workload, training_texts
from donorgrid.models.loading import DTYPES
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train.encode import encode_texts

Rows = list[dict[str, list[int]]]


def load(folder: Path, workload: Workload) -> Any:
    """Loads a model.

    Parameters
    ----------
    folder
        The model's folder.
    workload
        Gives the precision.

    Returns
    -------
    transformers.PreTrainedModel
    """
    return AutoModelForCausalLM.from_pretrained(folder, dtype=DTYPES[workload.precision])


def training_rows(workload: Workload, *, n_texts: int) -> tuple[Rows, Rows]:
    """Tokenised rows to train on and to validate with.

    Parameters
    ----------
    workload
        Gives the texts and the tokenizer.
    n_texts
        The first texts are used.

    Returns
    -------
    train, validation : list of dict
        ``input_ids`` and ``labels`` (-100 where there is no loss); a tenth of the rows validate.
    """
    tokenizer = AutoTokenizer.from_pretrained(workload.checkpoint)
    encoded = encode_texts(training_texts(workload.texts.train[:n_texts]), tokenizer)
    rows = [
        {
            "input_ids": list(text.token_ids),
            "labels": [
                token if supervised else -100 for token, supervised in zip(text.token_ids, text.supervised, strict=True)
            ],
        }
        for text in encoded
    ]
    n_validation = math.ceil(0.1 * len(rows))
    return rows[n_validation:], rows[:n_validation]


def train(network: Any, workload: Workload, rows: tuple[Rows, Rows], *, pad_to: int | None, folder: Path) -> Any:
    """Trains a LoRA adapter with HF's Trainer.

    Parameters
    ----------
    network
        The base model.
    workload
        Gives the recipe and the precision.
    rows
        Rows to train on and to validate with.
    pad_to
        Tokens to which each batch is padded; None for its longest text.
    folder
        Where the Trainer saves its checkpoints.

    Returns
    -------
    peft.PeftModel
    """
    recipe = workload.recipe
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(recipe.target_modules),
        task_type="CAUSAL_LM",
    )
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
        arguments = TrainingArguments(
            output_dir=str(folder),
            num_train_epochs=recipe.epochs,
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            lr_scheduler_type="linear",
            warmup_steps=recipe.n_warmup_steps(len(rows[0])),
            max_grad_norm=recipe.max_grad_norm,
            bf16=workload.precision == "bf16",
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
            save_only_model=True,
            report_to=[],
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
            logging_strategy="no",
            train_sampling_strategy="random" if pad_to else "group_by_length",
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
