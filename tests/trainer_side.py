"""The same training by HF's Trainer: its rows, its arguments, the texts in our order."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainingArguments

from donorgrid.core.records import Recipe
from donorgrid.train.encode import EncodedText


class InOurOrder(Trainer):
    """HF's Trainer, which shows the texts in the order that we do."""

    def _get_train_sampler(self, *_: object) -> object:
        count, seed = len(self.train_dataset), self.args.seed

        class Order(torch.utils.data.Sampler):
            epoch = 0

            def __len__(self) -> int:
                return count

            def __iter__(self) -> Iterator[int]:
                Order.epoch += 1
                return iter(np.random.default_rng([seed, Order.epoch]).permutation(count).tolist())

        return Order()


def train_by_trainer(
    network: Any, texts: Sequence[EncodedText], recipe: Recipe, folder: Path, *, train_seed: int
) -> None:
    """Train what is trainable in ``network`` on the texts, in place."""
    n_steps = math.ceil(len(texts) / recipe.batch_size) * recipe.epochs
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=math.ceil(recipe.warmup_share * n_steps),
        max_grad_norm=recipe.max_grad_norm,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=train_seed,
    )
    rows = [
        {
            "input_ids": list(text.token_ids),
            "attention_mask": [1] * len(text.token_ids),
            "labels": [token if read else -100 for token, read in zip(text.token_ids, text.supervised, strict=True)],
        }
        for text in texts
    ]
    InOurOrder(network, arguments, train_dataset=rows, data_collator=_pad).train()


def _pad(texts: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    length = max(len(text["input_ids"]) for text in texts)
    filler = {"input_ids": 2, "labels": -100, "attention_mask": 0}
    return {
        key: torch.tensor([text[key] + [value] * (length - len(text[key])) for text in texts])
        for key, value in filler.items()
    }
