"""A model session with the targets and few-shot examples of a study, and the training of its runs."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from donorgrid.core.records import Cell, Example
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.session.model_session import ModelSession
from donorgrid.pipeline.session.records import AnswerTarget, Generation, SessionSettings
from donorgrid.pipeline.session.training import Training
from donorgrid.tasks import generation_rules


class StudySession:
    """One base model of a study in memory.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.
    device : str
        "auto", "cpu", or a device of torch.
    """

    def __init__(self, prepared: Prepared, model: str, *, device: str) -> None:
        scoring = prepared.study.scoring
        settings = SessionSettings(
            precision=scoring.precision,
            device=device,
            chat_template=scoring.chat_template,
            chat_template_args=scoring.chat_template_args,
            weights=prepared.study.model(model).weights,
            tries_ways=True,
        )
        self._precision = scoring.precision
        self._session = ModelSession(prepared.models[model], settings)
        self._targets = {cell: study_target(prepared, cell) for cell in prepared.grid.targets}
        self.training = Training(self._session, prepared)

    def answers(
        self, targets: Sequence[Cell], adapter: Path | None, *, examples: Sequence[Example] = ()
    ) -> pl.DataFrame:
        """The item answers on some targets of the study.

        Parameters
        ----------
        targets : sequence of Cell
            The targets.
        adapter : Path or None
            The adapter that is active meanwhile; None for the base model.
        examples : sequence of Example
            Solved examples that every item is read after.

        Returns
        -------
        pl.DataFrame
            As ``ITEM_ANSWERS`` declares, in the order of the targets.
        """
        with self._session.active(adapter):
            return pl.concat([self._session.answer(self._targets[target], examples) for target in targets])

    def load(self) -> None:
        """Loads the model in the precision of the answers, unless it is in memory already."""
        self._session.base(self._precision)

    def score_first(self, target: Cell, n_items: int) -> int:
        """Score the first items of a target with the base model, to measure speed; the tokens of the sequences."""
        return self._session.score_first(self._targets[target], n_items)


def study_target(prepared: Prepared, cell: Cell) -> AnswerTarget:
    """A target of a study as a session answers it.

    Parameters
    ----------
    prepared : Prepared
        The study.
    cell : Cell
        The target.

    Returns
    -------
    AnswerTarget
        Generated answers are judged by the rules of their task.
    """
    task = prepared.tasks[cell.task]
    rules = generation_rules(task, cell.language) if task.generates else None
    return AnswerTarget(
        name=str(cell),
        items=prepared.cells[cell].test,
        norm="acc_norm" in task.metrics,
        generation=None
        if rules is None
        else Generation(until=rules.until, max_new_tokens=rules.max_new_tokens, is_right=rules.is_right),
    )
