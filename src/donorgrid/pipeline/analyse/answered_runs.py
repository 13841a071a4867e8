"""The finished item answers of a study, each run's paired with those of its baseline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from donorgrid.analyse import AnsweredRun, PairedAnswers, pair_answers
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import UNTRAINED, Baseline, Cell, Prompted, Run, Subject
from donorgrid.pipeline.prepare.study_files import study_was_edited
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.healing import passed_over
from donorgrid.pipeline.run.ledger import Ledger, SubjectStatus
from donorgrid.pipeline.run.progress import Watch
from donorgrid.store.answers import read_answers


@dataclass(frozen=True, kw_only=True)
class FinishedAnswers:
    """The paired answers of each model, and what a reader of their analysis should know."""

    paired: tuple[PairedAnswers, ...]
    notes: tuple[str, ...]


def finished_answers(plan: WorkPlan, folder: StudyFolder) -> FinishedAnswers:
    """The paired answers of every model that has a baseline and a run to compare with it.

    Parameters
    ----------
    plan : WorkPlan
        The study as it is now: answers of an earlier version do not count.
    folder : StudyFolder
        Its folder.

    Returns
    -------
    FinishedAnswers
        The answers of each model in the order of the study. A file with a damaged footer, or with the answers of
        another subject, is left out with a note.

    Raises
    ------
    InputError
        If no model has both yet.
    StoreError
        If the rows of a file are damaged.
    """
    statuses = [Ledger(plan, folder).status(subject) for subject in plan.grid.subjects]
    answers = tuple(_answers(plan, folder))
    notes = (*_notes(statuses), *_folder_notes(plan, folder))
    if not answers:
        raise InputError(f"{folder.root}: no run and its baseline are finished yet; {_how_to_go_on(plan, folder)}")
    return FinishedAnswers(paired=answers, notes=notes)


def _notes(statuses: Sequence[SubjectStatus]) -> Iterator[str]:
    yield from (f"left out: {status.damage}" for status in statuses if status.damage is not None)
    n_unchecked = sum(status.without_checksum for status in statuses)
    if n_unchecked:
        yield (
            f"{n_unchecked} of {len(statuses)} files of item answers were written by an early version of donorgrid, "
            "without a checksum: they are read as they are"
        )


def _folder_notes(plan: WorkPlan, folder: StudyFolder) -> Iterator[str]:
    if study_was_edited(plan, folder):
        yield f"{folder.study_file} was edited after the last run: it is analysed as it is now"
    yield from passed_over(folder)


def _how_to_go_on(plan: WorkPlan, folder: StudyFolder) -> str:
    failures = Watch(plan, folder).failures()
    if not failures:
        return "'donorgrid run' goes on"
    first = failures[0]
    work = ", ".join(part for part in (first.model, first.source or "baseline", first.recipe) if part)
    return (
        f"{len(failures)} failed, the first is {work}: {first.reason}; "
        "'donorgrid run' goes on with what is left, and with --retry-failed tries these again"
    )


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


def strength_in_tables(plan: WorkPlan, run: Run) -> float | None:
    """The value of the column ``strength``: 1 for an adapter as it was trained, where the study has strengths.

    Parameters
    ----------
    plan : WorkPlan
        The study.
    run : Run
        One of its runs.

    Returns
    -------
    float or None
        None in a study without strengths.
    """
    return 1.0 if run.strength is None and plan.study.strengths else run.strength


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
        strength=strength_in_tables(plan, run),
        family=facts.family,
        size_b=facts.size_b,
    )
