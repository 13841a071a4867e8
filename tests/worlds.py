"""Small real worlds for the tests: tiny random checkpoints of real architectures, local tasks, whole studies."""

import json
import random
from pathlib import Path
from typing import Any

import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

LANGUAGES = ("de", "en", "it")
_WORDS = {
    "de": ("Farbe", "Zahl", "rot", "grün", "blau", "eins", "zwei", "drei", "welche", "ist", "die"),
    "en": ("colour", "number", "red", "green", "blue", "one", "two", "three", "which", "is", "the"),
    "it": ("colore", "numero", "rosso", "verde", "azzurro", "uno", "due", "tre", "quale", "è", "il"),
}
_SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
_SPECIAL = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}


def make_checkpoint(kind: str, folder: Path, *, seed: int = 0) -> Path:
    """A tiny random checkpoint of ``llama``, ``qwen2`` or ``gemma3``, with a byte-level BPE trained on the words.

    Llama and Gemma tokenizers put BOS before a text, Qwen2's puts nothing, as the real ones do.
    """
    tokenizer = _train_tokenizer(adds_bos=kind != "qwen2")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_config(kind, len(tokenizer)), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:  # a fresh model answers almost evenly; wider weights give it opinions
                parameter.mul_(8.0)
    model.save_pretrained(folder)
    return folder


def _config(kind: str, n_tokens: int) -> Any:
    shape = {**_SHAPE, **_SPECIAL, "vocab_size": n_tokens, "max_position_embeddings": 256}
    if kind == "llama":
        return LlamaConfig(**shape, num_key_value_heads=2)
    if kind == "qwen2":
        return Qwen2Config(**shape, num_key_value_heads=2, tie_word_embeddings=True)
    return Gemma3TextConfig(**shape, num_key_value_heads=1, head_dim=8, sliding_window=8)


def _train_tokenizer(*, adds_bos: bool) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<bos>", "<eos>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(words) for words in _WORDS.values()] * 4, trainer)
    if adds_bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", 0)]
        )
    names = {"eos_token": "<eos>", "pad_token": "<pad>", **({"bos_token": "<bos>"} if adds_bos else {})}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def make_documents(task: str, language: str, *, count: int, seed: int) -> list[dict[str, Any]]:
    """Aligned questions on colours or numbers: equal IDs and answers in every language."""
    rng = random.Random(f"{task}{seed}")
    words = _WORDS[language]
    choices = list(words[2:5] if task == "colours" else words[5:8])
    documents = []
    for index in range(count):
        order = rng.sample(range(3), 3)
        asked = rng.randrange(3)
        question = f"{words[8]} {words[0 if task == 'colours' else 1]} {index} {words[9]} {words[10]} {choices[asked]}?"
        shuffled = [choices[one] for one in order]
        documents.append(
            {"id": f"q{seed}-{index}", "question": question, "choices": shuffled, "answer": order.index(asked)}
        )
    return documents


def make_task(folder: Path, name: str = "colours", *, train: int = 24, test: int = 12) -> Path:
    """A local task file with its data in every language; the path of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        for seed, (split, count) in enumerate({"train": train, "test": test}.items()):
            lines = [json.dumps(one) for one in make_documents(name, language, count=count, seed=seed)]
            (folder / f"{name}-{language}-{split}.jsonl").write_text("\n".join(lines) + "\n")
    task = {
        "task": name,
        "languages": list(LANGUAGES),
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {split: f"{name}-{{language}}-{split}.jsonl" for split in ("train", "test")}},
        "training_split": "train",
        "test_split": "test",
        "id_column": "id",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(task, sort_keys=False))
    return path


RECIPE = {"rank": 4, "alpha": 8.0, "epochs": 2, "learning_rate": 0.01, "precision": "fp32"}


def make_study(folder: Path, **changes: Any) -> Path:
    """A 3 x 3 study on a tiny Llama: one task in three languages, one seed. ``changes`` replace its keys."""
    if not (folder / "llama").exists():
        make_checkpoint("llama", folder / "llama")
    make_task(folder)
    study = {
        "models": ["llama"],
        "tasks": ["colours.yaml"],
        "languages": list(LANGUAGES),
        "recipes": {"tiny": RECIPE},
        "train_seeds": [17],
        **changes,
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(study))
    return path
