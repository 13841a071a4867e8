"""What one process keeps in memory: a base model, its tokenised items, and the work that is done with them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Cell, Example, Item, Precision, Run, TrainingText, Weights
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import ModelFolder
from donorgrid.models.loading import Base, load_base, load_tokenizer
from donorgrid.models.output_head import check_head
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.pipeline.session.generated import generated_answers
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import EncodedItems, encode_items
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from donorgrid.store.adapters import Stamp, write_adapter
from donorgrid.tasks import generation_rules, with_examples
from donorgrid.train.encode import Corpus, EncodedText, encode_texts
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights
from donorgrid.train.text_selection import select_texts, split_texts

_PAYS = 0.9


class Resident:
    """One base model, resident: it trains adapters and scores targets, and what no adapter changes is made once."""

    def __init__(self, prepared: Prepared, model: str, *, device: str) -> None:
        folder: ModelFolder = prepared.models[model]
        self._prepared = prepared
        self._tokenizer = load_tokenizer(folder)
        self._max_length = max_input_length(folder, self._tokenizer)
        self._base: Callable[[Precision], Base] = cache(
            lambda precision: _checked_base(folder, precision, device, prepared.study.model(model).weights)
        )
        self._adapter_switch: Callable[[Precision], AdapterSwitch] = cache(
            lambda precision: AdapterSwitch(self._base(precision))
        )
        self._items: Callable[[Cell], EncodedItems] = cache(self._encode)
        self._scorer: Callable[[], Scorer] = cache(self._make_scorer)
        self._packed: Callable[[Cell], PackedItems] = cache(lambda cell: self._scorer().pack(self._items(cell).items))

    def train(self, wanted: Mapping[Run, str]) -> dict[Run, Stamp | RunFailure]:
        """Train runs of one recipe, given with their keys, at once and each as if alone; the stamp or failure of each.

        Runs that are checkpoints of one training are written as it passes them: it is done once. The adapters equal
        those of solo training but for round-off, which depends on who trains together: a study that is to repeat byte
        for byte trains the same runs together each time.
        """
        recipes = {run.recipe for run in wanted}
        if len(recipes) != 1:
            raise InputError(f"runs of {len(recipes)} recipes cannot be trained together: {sorted(map(str, recipes))}")
        (recipe,) = recipes
        courses = list(dict.fromkeys(run.course for run in wanted))
        results = train_runs(
            self._base(recipe.precision),
            [self._corpus(course) for course in courses],
            recipe,
            train_seeds=[course.train_seed for course in courses],
            checkpoints=sorted({run.checkpoint for run in wanted if run.checkpoint is not None}),
        )
        of_course = dict(zip(courses, results, strict=True))
        return {run: self._keep(run, key, of_course[run.course]) for run, key in wanted.items()}

    def _keep(self, run: Run, training_key: str, result: TrainedWeights | RunFailure) -> Stamp | RunFailure:
        if isinstance(result, RunFailure):
            return result
        made = result if run.checkpoint is None else result.checkpoints[run.checkpoint]
        return write_adapter(self._prepared.folder.adapter(run), training_key, made.save)

    def best_group(self, run: Run, *, sizes: Sequence[int] = (1, 4, 8), n_texts: int = 48) -> int:
        """How many adapters to train at once, by a short trial of this run's texts: the fastest size, 1 unless it pays.

        The answer depends on the machine's load: find it once for a study and keep it.
        """
        seconds = {}
        for size in sizes[:1] if run.recipe.trains_alone else sizes:
            self.try_training(run, n_texts, n_adapters=size)
            start = time.perf_counter()
            self.try_training(run, n_texts, n_adapters=size)
            seconds[size] = (time.perf_counter() - start) / size
        best = min(seconds, key=lambda size: seconds[size])
        return best if seconds[best] < _PAYS * seconds[sizes[0]] else sizes[0]

    def try_training(self, run: Run, n_texts: int, *, n_adapters: int = 1) -> int:
        """Train a run's adapter for one epoch on its first texts and throw it away; the tokens read.

        With ``n_adapters``, so many copies at once.
        """
        corpus = Corpus(train=self._corpus(run).train[:n_texts], validation=())
        recipe = replace(run.recipe, epochs=1)
        train_runs(
            self._base(recipe.precision), [corpus] * n_adapters, recipe, train_seeds=[run.train_seed] * n_adapters
        )
        return n_adapters * sum(len(text.token_ids) for text in corpus.train)

    def try_scoring(self, target: Cell, n_items: int) -> int:
        """Score the first items of a target with the base model and forget the scores; the tokens read.

        The target is one whose options are scored.
        """
        items = self._items(target).items[:n_items]
        self._scorer().score(self._scorer().pack(items))
        return sum(len(item.context) + len(tail) for item in items for tail in item.continuations)

    def score(self, targets: Sequence[Cell], adapter: Path | None, *, examples: Sequence[Example] = ()) -> pl.DataFrame:
        """Item answers of the base model (no adapter), or with an adapter merged in, on some targets.

        With ``examples``, these stand solved before every item.
        """
        if adapter is None:
            return self._score(targets, examples)
        with self._adapter_switch(self._prepared.study.scoring.precision).active(adapter):
            return self._score(targets, examples)

    def invalid(self, target: Cell) -> tuple[tuple[str, str], ...]:
        """The items of a target that cannot be scored with this tokenizer: (item ID, reason)."""
        return self._items(target).invalid

    def _make_scorer(self) -> Scorer:
        return Scorer(self._base(self._prepared.study.scoring.precision).reader, max_length=self._max_length)

    def _score(self, targets: Sequence[Cell], examples: Sequence[Example]) -> pl.DataFrame:
        frames = []
        for target in targets:
            if self._prepared.tasks[target.task].generates:
                frames.append(self._generate(target, examples))
                continue
            packed = self._packed_after(target, examples) if examples else self._packed(target)
            norm = "acc_norm" in self._prepared.tasks[target.task].metrics
            frames.append(item_answers(packed.items, self._scorer().score(packed), norm=norm))
        return pl.concat(frames)

    def _packed_after(self, target: Cell, examples: Sequence[Example]) -> PackedItems:
        """The target's items after solved examples: made anew each time, as one subject alone reads them."""
        return self._scorer().pack(self._encode(target, examples).items)

    def _items_of(self, target: Cell, examples: Sequence[Example]) -> tuple[Item, ...]:
        items = self._prepared.cells[target].test
        return tuple(with_examples(item, examples) for item in items) if examples else items

    def _generate(self, target: Cell, examples: Sequence[Example]) -> pl.DataFrame:
        scoring = self._prepared.study.scoring
        return generated_answers(
            self._items_of(target, examples),
            generation_rules(self._prepared.tasks[target.task], target.language),
            network=self._base(scoring.precision).network,
            tokenizer=self._tokenizer,
            max_length=self._max_length,
            chat_template=scoring.chat_template,
        )

    def _encode(self, target: Cell, examples: Sequence[Example] = ()) -> EncodedItems:
        chat_template = self._prepared.study.scoring.chat_template
        encoded = encode_items(self._items_of(target, examples), self._tokenizer, chat_template=chat_template)
        if not encoded.items:
            raise InputError(f"target '{target}': no item can be scored; the first: {encoded.invalid[0]}")
        return encoded

    def _corpus(self, run: Run) -> Corpus:
        texts = select_texts(run, {cell: self._prepared.cells[cell].train for cell in run.source.cells})
        split = split_texts(
            texts, split_seed=self._prepared.study.split_seed, validation_share=run.recipe.validation_share
        )
        return Corpus(train=self._texts(split.train), validation=self._texts(split.validation))

    def _texts(self, texts: Sequence[TrainingText]) -> tuple[EncodedText, ...]:
        return encode_texts(texts, self._tokenizer)


def _checked_base(folder: ModelFolder, precision: Precision, device: str, weights: Weights) -> Base:
    base = load_base(folder, precision=precision, device=device, weights=weights)
    check_head(base.network, base.device)
    return base
