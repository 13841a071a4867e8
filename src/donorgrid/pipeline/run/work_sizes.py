"""How much work each subject of a study is, from its texts alone: the measure of a run's progress."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from donorgrid.core.records import Cell, CellItems, Prompted, Run, Subject
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.session.records import n_characters_read
from donorgrid.plan.cost import VALIDATION_COST

TRAIN_COST = 2.5
"""Training reads a character in about this many times the time of scoring, until a run has measured both."""


@dataclass(frozen=True, kw_only=True)
class WorkSize:
    """The work of one subject.

    Attributes
    ----------
    train, score : float
        Characters that are read, times the parameters of the model.
    n_steps, n_items : int
        Steps of its training, and items that it answers.
    """

    train: float
    score: float
    n_steps: int
    n_items: int


def work_sizes(prepared: Prepared) -> dict[Subject, WorkSize]:
    """The work of every subject of a study.

    Parameters
    ----------
    prepared : Prepared
        The study.

    Returns
    -------
    dict of Subject to WorkSize
        A checkpoint or a strength is scored, and has no training of its own.
    """
    cells, grid = prepared.cells, prepared.grid
    to_score = sum(n_characters_read(item) for cell in grid.targets for item in cells[cell].test)
    n_items = sum(len(cells[cell].test) for cell in grid.targets)
    sizes: dict[Subject, WorkSize] = {}
    for subject in grid.subjects:
        train, n_steps = _training(subject, cells)
        examples = prepared.examples[subject] if isinstance(subject, Prompted) else ()
        shown = sum(len(example.text) for example in examples)
        n_parameters = prepared.models[subject.model].n_parameters
        sizes[subject] = WorkSize(
            train=train * n_parameters,
            score=(to_score + n_items * shown) * n_parameters,
            n_steps=n_steps,
            n_items=n_items,
        )
    return sizes


def _training(run: Subject, cells: Mapping[Cell, CellItems]) -> tuple[float, int]:
    """The characters that a subject reads over the epochs of its training, and its steps."""
    if not isinstance(run, Run) or run != run.course:
        return 0.0, 0
    texts = [text for cell in run.source.cells for text in cells[cell].train]
    n_texts = run.train_size or round(len(texts) / len(run.source.cells))
    n_validated = math.ceil(run.recipe.validation_share * n_texts)
    read = n_texts - n_validated + VALIDATION_COST * n_validated
    mean_length = sum(len(text.prompt) + len(text.target) for text in texts) / len(texts)
    return mean_length * read * run.recipe.epochs, run.recipe.n_steps(n_texts - n_validated)
