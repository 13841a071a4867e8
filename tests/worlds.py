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
    AutoTokenizer,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

LANGUAGES = ("de", "en", "it")
_WORDS = {
    "de": ("Farbe", "Zahl", "rot", "grün", "blau", "eins", "zwei", "drei", "welche", "ist", "die"),
    "en": ("colour", "number", "red", "green", "blue", "one", "two", "three", "which", "is", "the"),
    "it": ("colore", "numero", "rosso", "verde", "azzurro", "uno", "due", "tre", "quale", "è", "il"),
}
_SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
_SPECIAL = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}


ARCHITECTURES = ("llama", "qwen2", "qwen2-windowed", "qwen3", "gemma3", "mistral", "gpt-neox")


def make_checkpoint(kind: str, folder: Path, *, seed: int = 0) -> Path:
    """A tiny random checkpoint with a byte-level BPE trained on the words; ``kind`` is one of ``ARCHITECTURES``.

    Sliding windows are shorter than the tests' texts.
    Llama and Gemma tokenizers put BOS before a text, Qwen2's puts nothing, as the real ones do.
    """
    tokenizer = _train_tokenizer(adds_bos=not kind.startswith("qwen"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_config(kind, len(tokenizer)), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:  # a fresh model answers almost evenly; wider weights give it opinions
                parameter.mul_(8.0)
            elif kind == "gemma3":  # its norms are 1 + weight, and fresh weights are 0
                parameter.normal_(std=0.3)
    model.save_pretrained(folder)
    return folder


def _config(kind: str, n_tokens: int) -> Any:
    shape = {**_SHAPE, **_SPECIAL, "vocab_size": n_tokens, "max_position_embeddings": 256}
    if kind == "llama":
        return LlamaConfig(**shape, num_key_value_heads=2)
    if kind == "qwen2":
        return Qwen2Config(**shape, num_key_value_heads=2, tie_word_embeddings=True)
    if kind == "qwen2-windowed":
        window = {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}
        return Qwen2Config(**shape, num_key_value_heads=2, **window)
    if kind == "qwen3":
        return Qwen3Config(**shape, num_key_value_heads=2, head_dim=8, tie_word_embeddings=True)
    if kind == "mistral":
        return MistralConfig(**shape, num_key_value_heads=2, sliding_window=8)
    if kind == "gpt-neox":
        return GPTNeoXConfig(**shape, tie_word_embeddings=False)
    layers = {"layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 16}
    return Gemma3TextConfig(**shape, num_key_value_heads=1, head_dim=8, sliding_window=8, **layers)


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


# A system message is refused, as Gemma's own template refuses it, where the template says so.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' and refuse %}{{ raise_exception('no system role') }}{% endif %}"
    "<|{{ message['role'] }}|>{{ message['content'] | trim }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def give_chat_template(checkpoint: Path, *, refuses_system: bool = False) -> Path:
    """Write a chat template into a checkpoint's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.chat_template = (
        "{% set refuse = true %}" if refuses_system else "{% set refuse = false %}"
    ) + CHAT_TEMPLATE
    tokenizer.save_pretrained(checkpoint)
    return checkpoint


def make_multimodal(folder: Path) -> Path:
    """A tiny random Gemma 3 checkpoint of the multimodal class, whose vision tower has q_proj and v_proj too."""
    tokenizer = _train_tokenizer(adds_bos=True)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma3Config(
        text_config=_config("gemma3", len(tokenizer)).to_dict(),
        vision_config={**vision, "image_size": 28, "patch_size": 14},
        mm_tokens_per_image=4,
        boi_token_index=3,
        eoi_token_index=4,
        image_token_index=5,
    )
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def make_documents(task: str, language: str, *, count: int, seed: int) -> list[dict[str, Any]]:
    """Aligned questions on colours or numbers: equal IDs and answers in every language."""
    rng = random.Random(f"{task}{seed}")
    words = _WORDS[language]
    choices = list(words[2:5] if task == "colours" else words[5:8])
    documents = []
    for index in range(count):
        order = rng.sample(range(3), 3)
        asked = rng.randrange(3)
        number = 100 * seed + index  # no question of one split stands in another
        question = (
            f"{words[8]} {words[0 if task == 'colours' else 1]} {number} {words[9]} {words[10]} {choices[asked]}?"
        )
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
