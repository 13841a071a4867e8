"""The finished item answers of a study, each run's paired with those of its baseline."""

from collections.abc import Iterator

import polars as pl

from donorgrid.analyse import AnsweredRun, PairedAnswers, pair_answers
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import UNTRAINED, Baseline, Cell, Prompted, Run, Subject
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.ledger import Ledger
from donorgrid.store.answers import read_answers


def finished_answers(plan: WorkPlan, folder: StudyFolder) -> list[PairedAnswers]:
    """The paired answers of every model that has a baseline and a run to compare with it.

    Parameters
    ----------
    plan : WorkPlan
        The study as it is now: answers of an earlier version do not count.
    folder : StudyFolder
        Its folder.

    Returns
    -------
    list of PairedAnswers
        One per model, in the order of the study.

    Raises
    ------
    InputError
        If no model has both yet.
    """
    answers = list(_answers(plan, folder))
    if not answers:
        raise InputError(f"{folder.root}: no run and its baseline are finished yet; 'donorgrid run' goes on")
    return answers


def _answers(plan: WorkPlan, folder: StudyFolder) -> Iterator[PairedAnswers]:
    """The paired answers of each model that has a baseline and at least one run."""
    ledger = Ledger(plan, folder)
    for model in plan.study.models:
        baseline = Baseline(model=model.name)
        targets = _answered(ledger, plan, baseline)
        runs = [run for run in plan.grid.compared if run.model == model.name and _answered(ledger, plan, run)]
        if targets and runs:
            base = read_answers(folder.items(baseline), targets)
            yield pair_answers(base, ((_label(plan, run), _read(ledger, plan, folder, run)) for run in runs))


def _answered(ledger: Ledger, plan: WorkPlan, subject: Subject) -> tuple[Cell, ...]:
    """The targets of the study that a subject has answered, as the study is now."""
    missing = set(ledger.status(subject).missing)
    return tuple(target for target in plan.grid.targets if target not in missing)


def _read(ledger: Ledger, plan: WorkPlan, folder: StudyFolder, subject: Subject) -> pl.DataFrame:
    return read_answers(folder.items(subject), _answered(ledger, plan, subject))


def _label(plan: WorkPlan, run: Prompted | Run) -> AnsweredRun:
    facts = plan.facts[run.model]
    if isinstance(run, Prompted):
        return AnsweredRun(
            model=run.model,
            recipe=UNTRAINED,
            source=run.source,
            train_seed=run.draw_seed,
            family=facts.family,
            size_b=facts.size_b,
        )
    return AnsweredRun(
        model=run.model,
        recipe=run.recipe.name,
        source=run.source,
        train_seed=run.train_seed,
        data_seed=run.data_seed,
        train_size=run.train_size,
        checkpoint=run.checkpoint,
        family=facts.family,
        size_b=facts.size_b,
    )
