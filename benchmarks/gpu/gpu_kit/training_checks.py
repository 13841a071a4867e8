"""Are adapters trained right? Against HF's Trainer, and several at once against each alone."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import Trainer, TrainingArguments

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.gpu.ways import WayName
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from gpu_kit.correctness import first_line, n_words_of, scale_of, shape_of
from gpu_kit.runner import Report, Settings
from gpu_kit.shapes import make_base, make_network
from gpu_kit.work import encoded_texts

Weights = dict[str, torch.Tensor]
_LARGEST_GAP = 1e-3


def trained_like_trainer(name: str, settings: Settings, report: Report) -> None:
    """Float32: the adapter of donorgrid's loop, read in each way, and that of HF's Trainer on the same texts in order.

    The gap is the L2 norm of the difference by that of what training changed.
    """
    shape = shape_of(name, settings)
    recipe = Recipe(name="kit", epochs=2, batch_size=8, learning_rate=1e-4, precision="fp32", validation_share=0.0)
    n_texts, n_words, scale = 20, n_words_of(shape), scale_of(settings)
    texts = encoded_texts("hellaswag", n_texts, n_words=n_words, scale=scale)
    others = encoded_texts("arc_challenge", n_texts, n_words=n_words, scale=scale)
    network = make_network(shape, dtype=torch.float32, device=settings.device)
    report(model=name, precision="fp32", n_texts=n_texts, epochs=recipe.epochs)
    ours = {"alone": _trained(network, "dense masks", [texts], recipe, settings.work)[0]}
    ours["two at once"] = _trained(network, "dense masks", [texts, others], recipe, settings.work)[0]
    try:
        ours["block masks"] = _trained(network, "block masks", [texts], recipe, settings.work)[0]
    except RuntimeError as error:
        report(**{"block masks": first_line(error)})
    first, theirs = _by_trainer(network, texts, recipe, settings)
    gaps = {f"{how}: gap to HF's Trainer": _gap(weights, theirs, first) for how, weights in ours.items()}
    report(**gaps)
    report(ok=all(gap <= _LARGEST_GAP for gap in gaps.values()))


def _trained(network: Any, way: WayName, texts_of: Sequence[Any], recipe: Recipe, work: Path) -> list[Weights]:
    corpora = [Corpus(train=texts, validation=()) for texts in texts_of]
    base = make_base(network, way)
    results = train_runs(base, corpora, recipe, train_seeds=[17] * len(corpora))
    if base.reader.chosen_ways.get("training", "dense masks") != way:
        raise RuntimeError(f"'{way}' was not used in training: log.txt says why")
    weights = []
    for result in results:
        if isinstance(result, RunFailure):
            raise result
        folder = work / "trained"
        folder.mkdir(exist_ok=True)
        result.save(folder)
        weights.append(load_file(folder / "adapter_model.safetensors"))
    return weights


def _gap(weights: Weights, reference: Weights, first: Weights) -> float:
    difference = sum(float((weights[key] - reference[key]).double().square().sum()) for key in reference)
    change = sum(float((reference[key] - first[key]).double().square().sum()) for key in reference)
    return math.sqrt(difference / change)


def _by_trainer(
    network: Any, texts: Sequence[EncodedText], recipe: Recipe, settings: Settings
) -> tuple[Weights, Weights]:
    """The first and the trained factors."""
    torch.manual_seed(17)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        target_modules=list(recipe.target_modules),
        task_type="CAUSAL_LM",
    )
    with quiet_deprecations():
        adapted = get_peft_model(network, config)
    first = _factors(adapted)
    arguments = TrainingArguments(
        output_dir=str(settings.work / "trainer"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.n_warmup_steps(len(texts)),
        max_grad_norm=recipe.max_grad_norm,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=settings.device == "cpu",
        seed=17,
    )
    _InOurOrder(adapted, arguments, train_dataset=rows_of(texts), data_collator=pad).train()
    return first, _factors(adapted)


class _InOurOrder(Trainer):
    """HF's Trainer, which shows the texts in donorgrid's order."""

    def _get_train_sampler(self, *_: object) -> Any:
        return _Order(len(self.train_dataset), self.args.seed)


class _Order(torch.utils.data.Sampler):
    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed, self._epoch = count, seed, 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        self._epoch += 1
        return iter(np.random.default_rng([self._seed, self._epoch]).permutation(self._count).tolist())


def _factors(adapted: Any) -> Weights:
    state = adapted.state_dict().items()
    return {key.replace(".default", ""): value.detach().cpu().clone() for key, value in state if "lora_" in key}


def rows_of(texts: Sequence[EncodedText]) -> list[dict[str, list[int]]]:
    """Texts as HF's Trainer takes them."""
    return [
        {
            "input_ids": list(text.token_ids),
            "attention_mask": [1] * len(text.token_ids),
            "labels": [token if read else -100 for token, read in zip(text.token_ids, text.supervised, strict=True)],
        }
        for text in texts
    ]


def pad(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """Rows of HF's Trainer as one batch, padded to the longest."""
    width = max(len(row["input_ids"]) for row in rows)
    filling = {"input_ids": 2, "labels": -100, "attention_mask": 0}
    return {
        key: torch.tensor([row[key] + [value] * (width - len(row[key])) for row in rows])
        for key, value in filling.items()
    }
