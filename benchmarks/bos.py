"""What it costs to train without the special tokens that the scorer reads: SIB-200 on a real model.

    python benchmarks/bos.py --model FOLDER --data FOLDER [--language en] [--texts 96] [--items 204] [--seeds 3]

``--data`` holds a folder per language in SIB-200's names (``eng_Latn/train.tsv``, ``test.tsv``). Texts and items are
drawn at random. For each train seed, one LoRA adapter is trained on texts tokenised ``apart`` and one on the same
texts tokenised ``joint`` (as the scorer reads them), with the recipe ``lora`` in float32. Prints the loss of the
untrained base on the targets in both forms, and a Markdown table with the accuracy of base and adapters.
docs/results/real-models.md holds what it printed.
"""

import argparse
import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Item, Recipe, TextEncoding, TrainingText
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.plan.grid import recipe_record
from donorgrid.plan.presets import recipe_preset
from donorgrid.plan.recipes import RecipeSpec
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.scorer import Scorer
from donorgrid.tasks import find_task, load_cell
from donorgrid.train.encode import Corpus, encode_texts
from donorgrid.train.methods import train_runs
from donorgrid.train.text_selection import split_texts

WAYS = ("apart", "joint")


def drawn(data: Path, language: str, n_texts: int, n_items: int) -> tuple[list[TrainingText], list[Item]]:
    """Texts and items of SIB-200, drawn at random: the files are sorted by topic."""

    def rows(name: str, split: str) -> list[dict[str, str]]:
        with (data / name / f"{split}.tsv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    task = find_task("sib200", folder=Path())
    cell = load_cell(task, language, sources={task.cell(language).keys.dataset_path: rows})
    rng = np.random.default_rng(0)
    texts = [cell.train[index] for index in rng.permutation(len(cell.train))[:n_texts]]
    items = [cell.test[index] for index in sorted(rng.permutation(len(cell.test))[:n_items])]
    return texts, items


def loss_per_token(base: Base, texts: Sequence[TrainingText], encoding: TextEncoding) -> float:
    """The loss of the untrained base on the tokens of the targets, in nats."""
    losses = []
    for text in encode_texts(texts, base.tokenizer, encoding):
        ids = torch.tensor(text.token_ids)
        with torch.inference_mode():
            logits = base.network(ids[None]).logits[0, :-1].float()
        covered = torch.tensor(text.supervised[1:])
        losses.append(cross_entropy(logits[covered], ids[1:][covered], reduction="none"))
    return float(torch.cat(losses).mean())


def corpus_of(base: Base, texts: Sequence[TrainingText], recipe: Recipe, encoding: TextEncoding) -> Corpus:
    split = split_texts(texts, split_seed=42, validation_share=recipe.validation_share)
    train, validation = (encode_texts(part, base.tokenizer, encoding) for part in (split.train, split.validation))
    return Corpus(train=train, validation=validation)


class Measurement:
    """Trains and scores on one base."""

    def __init__(self, base: Base, max_length: int, items: Sequence[Item]) -> None:
        self.base = base
        self._scorer = Scorer(base.reader, max_length=max_length)
        self._packed = self._scorer.pack(encode_items(items, base.tokenizer, chat_template=False).items)
        self._switch = AdapterSwitch(base)

    def n_right(self, adapter: Path | None = None) -> int:
        if adapter is None:
            answers = item_answers(self._packed.items, self._scorer.score(self._packed), norm=True)
            return int(answers["correct"].sum())
        with self._switch.active(adapter):
            return self.n_right()

    def n_right_trained(self, corpus: Corpus, recipe: Recipe, train_seed: int) -> int:
        (trained,) = train_runs(self.base, [corpus], recipe, train_seeds=[train_seed])
        if isinstance(trained, RunFailure):
            raise trained
        with tempfile.TemporaryDirectory() as folder:
            trained.save(Path(folder))
            return self.n_right(Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--language", default="en")
    parser.add_argument("--texts", type=int, default=96)
    parser.add_argument("--items", type=int, default=204)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    folder = find_model(str(given.model.resolve()), revision=None, folder=Path(), built_in={})
    base = load_base(folder, precision="fp32", device="cpu")
    texts, items = drawn(given.data, given.language, given.texts, given.items)
    recipe = recipe_record("lora", RecipeSpec.model_validate({**recipe_preset("lora"), "precision": "fp32"}))
    encodings = {way: TextEncoding(tokenise=way) for way in WAYS}
    for way in WAYS:
        print(
            f"{way}: the base's loss on the targets is {loss_per_token(base, texts, encodings[way]):.2f} nats a token"
        )
    measured = Measurement(base, max_input_length(folder, base.tokenizer), items)
    corpora = {way: corpus_of(base, texts, recipe, encodings[way]) for way in WAYS}
    base_right = measured.n_right()
    print(f"\n| trained | train seed | right of {len(items)} | accuracy |\n|---|---|---|---|", flush=True)
    print(f"| (base) | | {base_right} | {base_right / len(items):.3f} |", flush=True)
    for seed in (17, 42, 101, 7, 23)[: given.seeds]:
        for way in WAYS:
            n_right = measured.n_right_trained(corpora[way], recipe, seed)
            print(f"| {way} | {seed} | {n_right} | {n_right / len(items):.3f} |", flush=True)


if __name__ == "__main__":
    main()
