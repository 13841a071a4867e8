"""From a study folder, or from tables that others made, to the tables of the analysis. No torch, no models, no data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.analyse import (
    AnalysisSettings,
    AnsweredRun,
    PairedAnswers,
    analyse,
    deltas,
    deltas_by_seed,
    pair_answers,
    read_tables,
    to_released,
)
from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import UNTRAINED, Baseline, Cell, Metric, Prompted, Run, Subject
from donorgrid.exchange import ImportedSubject, read_import
from donorgrid.pipeline.prepare.work_keys import WorkPlan, read_workplan
from donorgrid.pipeline.run.ledger import Ledger
from donorgrid.store.answers import read_answers

DELTAS, BY_SEED = "deltas", "deltas_by_seed"
TABLE_FORMATS = (".csv", ".parquet")


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """The tables of an analysis by name, ``deltas`` among them, and what they are made from.

    ``plan`` is None, and ``deltas_by_seed`` may be absent, when the deltas came as tables. ``notes`` say what those
    tables lacked.
    """

    title: str
    settings: AnalysisSettings
    tables: Mapping[str, pl.DataFrame]
    plan: WorkPlan | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_cells_done(self) -> int:
        """(model, recipe, source, target, seed) cells that have a delta."""
        return self.tables.get(BY_SEED, self.tables[DELTAS]).height

    @property
    def n_cells_planned(self) -> int:
        """Such cells of the study's grid; of tables, those that are there."""
        if self.plan is None:
            return self.n_cells_done
        return len(self.plan.grid.compared) * len(self.plan.grid.targets)


def study_settings(folder: StudyFolder) -> AnalysisSettings:
    """The settings that a study's file asks for."""
    study = read_workplan(folder).study
    return AnalysisSettings(metric=study.metric, harm_limit_pp=study.harm_limit_pp)


def analyse_folder(folder: StudyFolder, settings: AnalysisSettings | None = None) -> Analysed:
    """Analyse what a study folder holds, finished or not. InputError when no run has an answer to compare yet."""
    plan = read_workplan(folder)
    chosen = settings or study_settings(folder)
    answers = _finished(plan, folder)
    return Analysed(
        title=f"Transfer in {folder.root.resolve().name}",
        settings=chosen,
        tables=_tables(answers, chosen),
        plan=plan,
    )


def study_deltas(folder: StudyFolder) -> dict[str, pl.DataFrame]:
    """``deltas`` and ``deltas_by_seed`` of what a study folder holds, without the analysis."""
    return _deltas(_finished(read_workplan(folder), folder), study_settings(folder).metric)


def analyse_import(folder: Path, settings: AnalysisSettings | None = None) -> Analysed:
    """Analyse item answers that ``donorgrid import`` put into a folder."""
    imported = read_import(folder)
    answers = [
        pair_answers(imported.read(base), ((_imported_label(one), imported.read(one)) for one in runs))
        for base, runs in imported.models()
        if runs
    ]
    if not answers:
        raise InputError(f"{folder}: no fine-tune was imported beside a base model")
    chosen = settings or AnalysisSettings()
    return Analysed(
        title=f"Transfer in {folder.resolve().name}",
        settings=chosen,
        tables=_tables(answers, chosen),
        notes=imported.notes,
    )


def analyse_files(paths: Sequence[Path], settings: AnalysisSettings | None = None) -> Analysed:
    """Analyse CSV or Parquet tables with the released columns, or our own, stacked. InputError for unusable ones."""
    chosen = settings or AnalysisSettings()
    read = read_tables(paths, metric=chosen.metric)
    given = {DELTAS: read.deltas} | ({} if read.by_seed is None else {BY_SEED: read.by_seed})
    found = analyse(read.deltas, settings=chosen, by_seed=read.by_seed)
    title = "Transfer in " + ", ".join(path.stem for path in paths)
    return Analysed(title=title, settings=chosen, tables={**given, **found}, notes=read.notes)


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as CSV, the deltas under the released table's column names. Equal tables give equal bytes."""
    written = []
    for name, frame in tables.items():
        with whole_file(folder / f"{name}.csv") as unfinished:
            _released(name, frame, tables).write_csv(unfinished)
        written.append(folder / f"{name}.csv")
    return written


def _tables(answers: Sequence[PairedAnswers], settings: AnalysisSettings) -> dict[str, pl.DataFrame]:
    found = _deltas(answers, settings.metric)
    return {**found, **analyse(found[DELTAS], settings=settings, by_seed=found[BY_SEED], answers=answers)}


def _deltas(answers: Sequence[PairedAnswers], metric: Metric) -> dict[str, pl.DataFrame]:
    return {
        DELTAS: pl.concat([deltas(one, metric=metric) for one in answers]),
        BY_SEED: pl.concat([deltas_by_seed(one, metric=metric) for one in answers]),
    }


def _finished(plan: WorkPlan, folder: StudyFolder) -> list[PairedAnswers]:
    answers = list(_answers(plan, folder))
    if not answers:
        raise InputError(f"{folder.root}: no run and its baseline are finished yet; 'donorgrid run' goes on")
    return answers


def _imported_label(subject: ImportedSubject) -> AnsweredRun:
    if subject.source is None:
        raise InputError(f"{subject}: a base model stands where a fine-tune is expected")
    return AnsweredRun(
        model=subject.model,
        recipe=subject.recipe,
        source=subject.source,
        train_seed=subject.train_seed,
        data_seed=subject.data_seed,
        train_size=subject.train_size,
        checkpoint=subject.checkpoint,
        family=subject.family,
        size_b=subject.size_b,
    )


def _answers(plan: WorkPlan, folder: StudyFolder) -> Iterator[PairedAnswers]:
    """The paired answers of each model that has a baseline and at least one run."""
    ledger = Ledger(plan, folder)
    for model in plan.study.models:
        baseline = Baseline(model=model.name)
        targets = _answered(ledger, plan, baseline)
        runs = [one for one in plan.grid.compared if one.model == model.name and _answered(ledger, plan, one)]
        if targets and runs:
            base = read_answers(folder.items(baseline), targets)
            yield pair_answers(base, ((_label(plan, run), _read(ledger, plan, folder, run)) for run in runs))


def _answered(ledger: Ledger, plan: WorkPlan, subject: Subject) -> tuple[Cell, ...]:
    """The targets of the study that a subject has answered, as the study stands now."""
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


def _released(name: str, frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    if name == DELTAS:
        return to_released(frame, by_seed=tables.get(BY_SEED))
    return to_released(frame) if name == BY_SEED else frame
