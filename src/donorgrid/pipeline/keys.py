"""Work keys: what a piece of work is the result of. Paths, batch sizes and the machine do not count."""

from collections.abc import Callable
from dataclasses import asdict
from functools import cache

from donorgrid.core.digests import digest_of
from donorgrid.core.records import Cell, Run, Subject
from donorgrid.pipeline.prepare import Prepared

SEMANTICS = 1
"""Raised whenever the engine would give another result for the same input."""

MERGE_MODE = "merged"


class Keys:
    """The work keys of one prepared study; the digests of its texts are computed once."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._train_digest: Callable[[Cell], str] = cache(
            lambda cell: digest_of([asdict(text) for text in prepared.cells[cell].train])
        )
        self._test_digest: Callable[[Cell], str] = cache(
            lambda cell: digest_of([asdict(item) for item in prepared.cells[cell].test])
        )

    def training(self, run: Run) -> str:
        """The key of a run's training."""
        recipe = {key: value for key, value in asdict(run.recipe).items() if key != "name"}
        return digest_of(
            {
                "kind": "training",
                **self._model(run),
                "recipe": recipe,
                "control": run.source.control,
                "parts": [[self._train_digest(cell), weight] for cell, weight in run.source.parts],
                "train_seed": run.train_seed,
                "data_seed": run.data_seed,
                "train_size": run.train_size,
                "split_seed": self._prepared.study.split_seed,
            }
        )

    def scoring(self, subject: Subject, target: Cell, adapter_digest: str | None) -> str:
        """The key of scoring one target with one subject."""
        return digest_of(
            {
                "kind": "scoring",
                **self._model(subject),
                "adapter": adapter_digest,
                "items": self._test_digest(target),
                "metrics": self._prepared.tasks[target.task].metrics,
                "precision": self._prepared.study.scoring.precision,
                "chat_template": self._prepared.study.scoring.chat_template,
                "merge": MERGE_MODE,
            }
        )

    def claim(self, subject: Subject) -> str:
        """The key that a process claims before it works on a subject."""
        targets = [self._test_digest(target) for target in self._prepared.grid.targets]
        scoring = self._prepared.study.scoring.model_dump()
        training = self.training(subject) if isinstance(subject, Run) else None
        return digest_of([self._model(subject), training, targets, scoring])[:32]

    def _model(self, subject: Subject) -> dict[str, object]:
        folder = self._prepared.models[subject.model]
        return {"base": folder.weights_digest, "tokenizer": folder.tokenizer_digest, "semantics": SEMANTICS}


def describe(subject: Subject) -> str:
    """A subject in one line of words."""
    if isinstance(subject, Run):
        draws = f", data seed {subject.data_seed}" if subject.data_seed else ""
        draws += f", {subject.train_size} items" if subject.train_size is not None else ""
        return f"{subject.model}, {subject.source}, recipe {subject.recipe.name}, seed {subject.train_seed}{draws}"
    return f"{subject.model}, baseline"
