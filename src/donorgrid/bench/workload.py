"""The workload of a benchmark on disk: a random checkpoint of a real architecture, a tokenizer, the questions."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from donorgrid.bench.texts import BenchTexts, Question
from donorgrid.core.records import Cell, Item, Precision, Recipe, TrainingText

_VOCABULARY = 16_000


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What every way does: fine-tune once on ``texts.train``, then score all targets.

    Attributes
    ----------
    checkpoint
        The base model's folder.
    folder
        The working folder, with the questions of each target as JSON lines.
    texts, recipe, precision
        What is trained and scored, and how.
    threads
        Threads that each way may use.
    chat_template
        Whether questions are scored under the model's chat template.
    """

    checkpoint: Path
    folder: Path
    texts: BenchTexts
    recipe: Recipe
    precision: Precision
    threads: int
    chat_template: bool = False

    def documents(self, target: str) -> Path:
        """The file with a target's questions, as lm-eval reads it."""
        return self.folder / f"{target}.jsonl"


def make_workload(
    folder: Path,
    texts: BenchTexts,
    *,
    recipe: Recipe,
    threads: int,
    model: Path | None = None,
    chat_template: bool = False,
) -> Workload:
    """Writes the questions, and a Llama of 10 million parameters with a vocabulary of 16k unless there is a model.

    Parameters
    ----------
    folder
        Where they are written; an existing checkpoint is used again.
    texts
        The questions.
    recipe
        How the adapter is trained; its precision is that of the scoring too.
    threads
        Threads that each way may use.
    model
        The folder of a real model.
    chat_template
        Whether questions are scored under the model's chat template.

    Returns
    -------
    Workload
        On disk.
    """
    checkpoint = model or folder / "llama-10m"
    if not checkpoint.exists():
        _make_checkpoint(checkpoint, texts)
    for target, questions in texts.targets.items():
        lines = [json.dumps(asdict(question), ensure_ascii=False) for question in questions]
        (folder / f"{target}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Workload(
        checkpoint=checkpoint,
        folder=folder,
        texts=texts,
        recipe=recipe,
        precision=recipe.precision,
        threads=threads,
        chat_template=chat_template,
    )


def training_texts(questions: Sequence[Question]) -> list[TrainingText]:
    """The questions as training texts, with the loss on the answer."""
    return [
        TrainingText(
            item_id=str(number),
            prompt=question.text,
            target=f" {question.choices[question.answer]}",
            tokenise="apart",  # the release's way is one of those that are timed
        )
        for number, question in enumerate(questions)
    ]


def items(target: str, questions: Sequence[Question]) -> list[Item]:
    """The questions as test items.

    Parameters
    ----------
    target
        The target's name.
    questions
        Its questions.

    Returns
    -------
    list of Item
        Numbered from 0.
    """
    cell = Cell(task=target, language="und")
    return [
        Item(id=str(number), cell=cell, context=question.text, choices=question.choices, answer=question.answer)
        for number, question in enumerate(questions)
    ]


def _make_checkpoint(folder: Path, texts: BenchTexts) -> None:
    tokenizer = _make_tokenizer(texts)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=_VOCABULARY,
        hidden_size=256,
        intermediate_size=704,
        num_hidden_layers=7,
        num_attention_heads=8,
        num_key_value_heads=8,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:  # a random model answers almost evenly; larger weights make it prefer options
                parameter.mul_(2.0)
    model.save_pretrained(folder)


def _make_tokenizer(texts: BenchTexts) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=["<bos>", "<eos>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts.all_texts(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>")
