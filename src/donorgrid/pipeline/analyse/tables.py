"""The tables of the analysis: of a study's folder, of an import, or of tables of deltas."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
)
from donorgrid.analyse.reading.one_class import one_class_targets
from donorgrid.analyse.reading.result_tables import errors_of_tables, stack_tables, tables_from
from donorgrid.analyse.reading.table_deltas import metric_of
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Metric
from donorgrid.exchange import ImportedSubject, read_import
from donorgrid.pipeline.analyse.answered_runs import finished_answers
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.work_keys import WorkPlan

DELTAS, BY_SEED = "deltas", "deltas_by_seed"
Change = Callable[[AnalysisSettings], AnalysisSettings]
"""From the settings of a study, or the defaults, to those that are used."""


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """The tables of an analysis and what they are made from.

    Attributes
    ----------
    title : str
        The title of the report.
    settings : AnalysisSettings
        The settings of the analysis.
    tables : mapping of str to pl.DataFrame
        By name; ``deltas`` is always there, ``deltas_by_seed`` may be absent when the deltas came as tables.
    plan : WorkPlan or None
        The study; None for imports and tables.
    notes : tuple of str
        What imports or tables lacked.
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


def analyse_folder(
    folder: StudyFolder, settings: AnalysisSettings | None = None, *, change: Change = lambda settings: settings
) -> Analysed:
    """Analyse what a study folder holds, finished or not.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    settings : AnalysisSettings, optional
        The default is what the study's file asks for.
    change : callable
        From these settings to those that are used.

    Returns
    -------
    Analysed

    Raises
    ------
    InputError
        If no run has an answer to compare yet.
    """
    plan = read_workplan(folder)
    of_study = study_settings(plan)
    one_class, shared = of_study.one_class, of_study.shared_items
    used = change(replace(settings, one_class=one_class, shared_items=shared) if settings else of_study)
    finished = finished_answers(plan, folder)
    return Analysed(
        title=f"Transfer in {folder.root.resolve().name}",
        settings=used,
        tables=_tables(finished.paired, used),
        plan=plan,
        notes=finished.notes,
    )


def study_deltas(folder: StudyFolder) -> dict[str, pl.DataFrame]:
    """``deltas`` and ``deltas_by_seed`` of what a study folder holds, without the analysis."""
    plan = read_workplan(folder)
    return delta_tables(finished_answers(plan, folder).paired, study_settings(plan).metric)


def analyse_import(folder: Path, settings: AnalysisSettings | None = None) -> Analysed:
    """Analyse item answers that ``donorgrid import`` put into a folder.

    Parameters
    ----------
    folder : Path
        The folder of the import.
    settings : AnalysisSettings, optional
        The settings of the analysis.

    Returns
    -------
    Analysed

    Raises
    ------
    InputError
        If no fine-tune was imported together with its base model.
    """
    answers, settings_of_import, notes = imported_answers(folder)
    used = replace(settings or AnalysisSettings(), one_class=settings_of_import.one_class)
    return Analysed(
        title=f"Transfer in {folder.resolve().name}", settings=used, tables=_tables(answers, used), notes=notes
    )


def analyse_files(
    paths: Sequence[Path], settings: AnalysisSettings | None = None, *, change: Change = lambda settings: settings
) -> Analysed:
    """Analyse tables of deltas, stacked.

    Parameters
    ----------
    paths : sequence of Path
        CSV or Parquet tables with the released columns, or our own.
    settings : AnalysisSettings, optional
        The default has the metric that the tables have.
    change : callable
        From these settings to those that are used.

    Returns
    -------
    Analysed

    Raises
    ------
    InputError
        If a table cannot be used.
    """
    frame = stack_tables(paths)
    used = change(settings or AnalysisSettings(metric=metric_of(frame)))
    with errors_of_tables(paths):
        read = tables_from(frame, metric=used.metric)
        tables = {DELTAS: read.deltas} | ({} if read.by_seed is None else {BY_SEED: read.by_seed})
        tables |= analyse(read.deltas, settings=used, by_seed=read.by_seed)
    title = "Transfer in " + ", ".join(path.stem for path in paths)
    return Analysed(title=title, settings=used, tables=tables, notes=read.notes)


def study_settings(plan: WorkPlan) -> AnalysisSettings:
    """The settings of the analysis that a study asks for."""
    study = plan.study
    return AnalysisSettings(
        metric=study.metric,
        harm_limit_pp=study.harm_limit_pp,
        one_class=plan.one_class,
        shared_items=plan.shared_items,
    )


def _tables(answers: Sequence[PairedAnswers], settings: AnalysisSettings) -> dict[str, pl.DataFrame]:
    tables = delta_tables(answers, settings.metric)
    return {**tables, **analyse(tables[DELTAS], settings=settings, by_seed=tables[BY_SEED], answers=answers)}


def delta_tables(answers: Sequence[PairedAnswers], metric: Metric) -> dict[str, pl.DataFrame]:
    """Deltas of several models.

    Parameters
    ----------
    answers : sequence of PairedAnswers
        One per model.
    metric : {"acc", "acc_norm"}
        The metric of ``delta_pp``.

    Returns
    -------
    dict of str to DataFrame
        ``deltas`` and ``deltas_by_seed``.
    """
    return {
        DELTAS: pl.concat([deltas(paired, metric=metric) for paired in answers]),
        BY_SEED: pl.concat([deltas_by_seed(paired, metric=metric) for paired in answers]),
    }


def imported_answers(folder: Path) -> tuple[list[PairedAnswers], AnalysisSettings, tuple[str, ...]]:
    """The paired answers of each model of an import, its settings and its notes; InputError if nothing is paired."""
    imported = read_import(folder)
    answers = [
        pair_answers(imported.read(base), ((_imported_run(subject), imported.read(subject)) for subject in runs))
        for base, runs in imported.models()
        if runs
    ]
    if not answers:
        raise InputError(f"{folder}: no fine-tune was imported beside a base model")
    bases = (imported.read(base) for base, runs in imported.models() if runs)
    one_class = {target: reason for answered in bases for target, reason in one_class_targets(answered).items()}
    return answers, AnalysisSettings(one_class=one_class), imported.notes


def _imported_run(subject: ImportedSubject) -> AnsweredRun:
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
        strength=subject.strength,
        family=subject.family,
        size_b=subject.size_b,
    )
