"""The training part of a session: trains the runs of a study, and measures how many to train at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Precision, Run
from donorgrid.core.records.text_encoding import TextEncoding
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.text_encoding import text_encoding
from donorgrid.pipeline.session.model_session import ModelSession
from donorgrid.store.adapters import Stamp, write_adapter
from donorgrid.train.encode import Corpus, encode_texts
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights
from donorgrid.train.text_selection import select_texts, split_texts

_WORTHWHILE = 0.9
"""A larger group must need less than this share of the time per adapter that one adapter alone needs."""


class Training:
    """Trains runs of a prepared study on the base model of a session."""

    def __init__(self, session: ModelSession, prepared: Prepared, model: str) -> None:
        self._session = session
        self._model = model
        self._prepared = prepared

    def train(self, training_keys: Mapping[Run, str]) -> dict[Run, Stamp | RunFailure]:
        """Train runs of one recipe together, each as if alone, and write their adapters.

        Checkpoints of one training are written as the training passes them. Adapters equal those of solo training up
        to round-off, which depends on the runs that are trained together. For byte-equal repeats, train the same runs
        together each time.

        Parameters
        ----------
        training_keys : mapping of Run to str
            The runs, each with the key of its training.

        Returns
        -------
        dict of Run to Stamp or RunFailure
            The stamp of each adapter, or why its training failed.

        Raises
        ------
        InputError
            If the runs have different recipes.
        """
        recipes = {run.recipe for run in training_keys}
        if len(recipes) != 1:
            raise InputError(f"runs of {len(recipes)} recipes cannot be trained together: {sorted(map(str, recipes))}")
        (recipe,) = recipes
        courses = list(dict.fromkeys(run.course for run in training_keys))
        base = self._session.base(recipe.precision)
        base.reader.used_ways.take("training")  # forgets those of trials
        results = train_runs(
            base,
            [self._corpus(course) for course in courses],
            recipe,
            train_seeds=[course.train_seed for course in courses],
            checkpoints=sorted({run.checkpoint for run in training_keys if run.checkpoint is not None}),
        )
        result_of = dict(zip(courses, results, strict=True))
        ways = base.reader.used_ways.take("training")
        return {run: self._write(run, key, result_of[run.course], ways) for run, key in training_keys.items()}

    def best_group_size(self, run: Run, *, sizes: Sequence[int] = (1, 4, 8), n_texts: int = 48) -> int:
        """How many adapters to train at once, by a short trial.

        Parameters
        ----------
        run : Run
            The run whose texts and recipe are tried.
        sizes : sequence of int
            The group sizes to try; the first is the default.
        n_texts : int
            Texts per trial.

        Returns
        -------
        int
            The fastest size per adapter, or the first where that gains less than 10%. It depends on the machine's
            load: measure it once for a study and keep it.
        """
        seconds = {}
        for size in sizes[:1] if run.recipe.trains_alone else sizes:
            self.trial(run, n_texts, n_adapters=size)
            start = time.perf_counter()
            self.trial(run, n_texts, n_adapters=size)
            seconds[size] = (time.perf_counter() - start) / size
        best = min(seconds, key=lambda size: seconds[size])
        return best if seconds[best] < _WORTHWHILE * seconds[sizes[0]] else sizes[0]

    def trial(self, run: Run, n_texts: int, *, n_adapters: int = 1) -> int:
        """Train adapters for one epoch, to measure speed, and drop them.

        Parameters
        ----------
        run : Run
            The run whose texts and recipe are used.
        n_texts : int
            How many of its texts.
        n_adapters : int
            How many copies are trained at once.

        Returns
        -------
        int
            The tokens that all copies read.
        """
        corpus = Corpus(train=self._corpus(run).train[:n_texts], validation=())
        recipe = replace(run.recipe, epochs=1)
        base = self._session.base(recipe.precision)
        train_runs(base, [corpus] * n_adapters, recipe, train_seeds=[run.train_seed] * n_adapters)
        return n_adapters * sum(len(text.token_ids) for text in corpus.train)

    def check_packing(self, precision: Precision) -> None:
        """Compare packed with single sequences, for all texts that are trained on in this precision at once."""
        self._session.base(precision).reader.check(self.sequences(precision))

    def sequences(self, precision: Precision) -> list[tuple[int, ...]]:
        """The tokens of all texts that the session's runs may train on in this precision."""
        runs = {
            (cell, run.recipe): run
            for run in self._prepared.grid.runs
            if run.model == self._model and run.recipe.precision == precision
            for cell in run.source.cells
        }
        encoded = (
            encode_texts(self._prepared.cells[cell].train, self._session.tokenizer, self._encoding(run))
            for (cell, _), run in runs.items()
        )
        return [text.token_ids for texts in encoded for text in texts]

    def _write(
        self, run: Run, training_key: str, result: TrainedWeights | RunFailure, ways: tuple[str, ...]
    ) -> Stamp | RunFailure:
        if isinstance(result, RunFailure):
            return result
        weights = result if run.checkpoint is None else result.checkpoints[run.checkpoint]
        return write_adapter(self._prepared.folder.adapter(run), training_key, weights.save, computed_by=ways)

    def _corpus(self, run: Run) -> Corpus:
        texts = select_texts(run, {cell: self._prepared.cells[cell].train for cell in run.source.cells})
        split = split_texts(
            texts, split_seed=self._prepared.study.split_seed, validation_share=run.recipe.validation_share
        )
        encoding = self._encoding(run)
        train, validation = (
            encode_texts(part, self._session.tokenizer, encoding) for part in (split.train, split.validation)
        )
        return Corpus(train=train, validation=validation)

    def _encoding(self, run: Run) -> TextEncoding:
        return text_encoding(self._prepared.study, run.recipe, self._session.max_length)
