"""Pre-trains the pocket base model from nothing: a byte-level BPE tokenizer and a small Llama."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from donorgrid.core.atomic_files import make_folder
from donorgrid.pocket.corpus import RICHNESS, Amount, lines
from donorgrid.pocket.packing import mean_loss, packed_batches

END = "<|endoftext|>"
_WORDS = r" ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+"
"""GPT-2's split into words, with combining marks as letters: otherwise every Hindi and Bengali vowel sign is a word."""


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """Everything that the weights depend on besides the seed. Lengths are in tokens, sizes in dimensions."""

    richness: Mapping[str, Amount] = field(default_factory=lambda: RICHNESS)
    vocabulary: int = 6144
    hidden: int = 128
    intermediate: int = 352
    layers: int = 4
    heads: int = 4
    key_value_heads: int = 2
    row_tokens: int = 128
    batch_rows: int = 5
    peak_learning_rate: float = 3e-3
    peak_embedding_learning_rate: float = 1e-2
    warmup_share: float = 0.03
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    max_steps: int | None = None
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where pre-training stands: optimiser steps done, of how many, and the loss (nats per token) of the last one."""

    step: int
    n_steps: int
    loss_nats: float


def train_base_model(
    out: Path,
    *,
    seed: int,
    settings: Pretraining | None = None,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Pre-train a base model and write it in the format of ``transformers``.

    The same seed and settings give the same weights on the same machine and version of torch.

    Parameters
    ----------
    out
        The folder to write to.
    seed
        The seed of the weights and of the text.
    settings
        What else the weights depend on; by default those of the shipped model.
    report
        Is called after each step.
    """
    settings = settings or Pretraining()
    text = lines(seed=seed, richness=settings.richness)
    tokenizer = _trained_tokenizer(text, settings)
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = _trained_model(_encoded(tokenizer, text), len(tokenizer), settings, report)
    finally:
        torch.set_num_threads(threads)
    make_folder(out)
    tokenizer.save_pretrained(out)
    model.save_pretrained(out)


def _trained_tokenizer(text: list[str], settings: Pretraining) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=END, eos_token=END, pad_token=END, model_max_length=512
    )


def _encoded(tokenizer: PreTrainedTokenizerFast, text: list[str]) -> list[list[int]]:
    return [[*ids, tokenizer.eos_token_id] for ids in tokenizer(text)["input_ids"]]


def _trained_model(
    encoded: list[list[int]],
    vocabulary: int,
    settings: Pretraining,
    report: Callable[[Progress], None],
) -> LlamaForCausalLM:
    model = LlamaForCausalLM(_architecture(vocabulary, settings))
    batches = packed_batches(encoded, settings.row_tokens, settings.batch_rows)[: settings.max_steps]
    optimiser = _optimiser(model, settings)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_then_cosine(len(batches), settings))
    model.train()
    for step, batch in enumerate(batches, start=1):
        loss = mean_loss(model, batch)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_grad_norm)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        report(Progress(step=step, n_steps=len(batches), loss_nats=loss.item()))
    return _rounded(model.eval())


def _architecture(vocabulary: int, settings: Pretraining) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=settings.hidden,
        intermediate_size=settings.intermediate,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.key_value_heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )


def _optimiser(model: LlamaForCausalLM, settings: Pretraining) -> torch.optim.AdamW:
    """AdamW. The embedding, whose rows are rarely used, has a higher learning rate and no weight decay."""
    embedding = model.get_input_embeddings().weight
    others = [weight for weight in model.parameters() if weight is not embedding]
    groups = [
        {"params": [embedding], "lr": settings.peak_embedding_learning_rate, "weight_decay": 0.0},
        {
            "params": [weight for weight in others if weight.dim() > 1],
            "lr": settings.peak_learning_rate,
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [weight for weight in others if weight.dim() <= 1],
            "lr": settings.peak_learning_rate,
            "weight_decay": 0.0,
        },
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def _warm_then_cosine(n_steps: int, settings: Pretraining) -> Callable[[int], float]:
    warmup = max(1, math.ceil(settings.warmup_share * n_steps))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, n_steps - warmup)))

    return factor


def _rounded(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """Rounds the weights to bfloat16 and keeps them in float32: runs in both precisions start from the same numbers."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(weight.to(torch.bfloat16).float())
    return model
