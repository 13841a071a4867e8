"""A model session with the targets and few-shot examples of a study, and the training of its runs."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from donorgrid.core.records import Cell, Example, Item
from donorgrid.core.work_reports import part_of_work
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.session.model_session import ModelSession
from donorgrid.pipeline.session.records import AnswerTarget, Generation, SessionSettings, n_characters_read
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
            exact_and_fast=scoring.exact_and_fast,
            tries_ways=True,
        )
        self._precision = scoring.precision
        self._session = ModelSession(prepared.models[model], settings)
        self._targets = {cell: study_target(prepared, cell) for cell in prepared.grid.targets}
        self.training = Training(self._session, prepared, model)
        self._is_ready = False

    def answers(
        self,
        targets: Sequence[Cell],
        adapter: Path | None,
        *,
        examples: Sequence[Example] = (),
        strength: float = 1.0,
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
        strength : float
            How much of the adapter's change is applied.

        Returns
        -------
        pl.DataFrame
            As ``ITEM_ANSWERS`` declares, in the order of the targets.
        """
        sizes = [sum(map(n_characters_read, self._targets[target].items)) for target in targets]
        whole = max(sum(sizes), 1)
        answers = []
        with self._session.active(adapter, strength=strength):
            for index, target in enumerate(targets):
                with part_of_work(sum(sizes[:index]) / whole, sizes[index] / whole):
                    answers.append(self._session.answer(self._targets[target], examples))
        return pl.concat(answers)

    def take_ways(self) -> tuple[str, ...]:
        """The ways that computed the answers since the last call; generated ones by transformers' own loop."""
        return self._session.base(self._precision).reader.used_ways.take("reading")

    def load(self) -> None:
        """Loads the model in the precision of the answers, and checks how it reads packed rows, unless that is done."""
        self._session.base(self._precision)
        if not self._is_ready:
            scored = [target for target in self._targets.values() if target.generation is None]
            self._session.check_packing(scored, self.training.sequences(self._precision))
            self._is_ready = True

    def score_sample(self, items: Sequence[Item], examples: Sequence[Example] = ()) -> int:
        """Score items of one task with the base model as ``answers`` does, to measure speed.

        Parameters
        ----------
        items : sequence of Item
            Items whose options are scored.
        examples : sequence of Example
            Solved examples that every item is read after.

        Returns
        -------
        int
            The tokens of the scored sequences.
        """
        norm = self._targets[items[0].cell].norm
        return self._session.score_sample(AnswerTarget(name="trial", items=tuple(items), norm=norm), examples)


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
