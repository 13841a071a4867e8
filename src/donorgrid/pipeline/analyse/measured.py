"""The measured cells of a study, an import or tables, with their noise: what advice is based on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.analyse import AnalysisSettings, PairedAnswers, measured_cells
from donorgrid.analyse.reading.result_tables import stack_tables, tables_from
from donorgrid.analyse.reading.table_deltas import metric_of
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.analyse.answered_runs import finished_answers
from donorgrid.pipeline.analyse.tables import BY_SEED, DELTAS, delta_tables, imported_answers, study_settings
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.work_keys import WorkPlan


@dataclass(frozen=True, kw_only=True)
class MeasuredCells:
    """The cells of every arm with their noise, and where they come from.

    Attributes
    ----------
    cells : pl.DataFrame
        As ``analyse.measured_cells`` gives them.
    plan : WorkPlan or None
        The study; None for imports and tables.
    folder : StudyFolder or None
        The study's folder, where there is a plan.
    notes : tuple of str
        What was missing or left out.
    """

    cells: pl.DataFrame
    plan: WorkPlan | None = None
    folder: StudyFolder | None = None
    notes: tuple[str, ...] = ()


def measured_in_folder(folder: StudyFolder) -> MeasuredCells:
    """The measured cells of a study's folder, finished or not. Raises InputError as ``analyse_folder`` does."""
    plan = read_workplan(folder)
    finished = finished_answers(plan, folder)
    cells = _measured(finished.paired, study_settings(plan))
    return MeasuredCells(cells=cells, plan=plan, folder=folder, notes=finished.notes)


def measured_in_import(folder: Path) -> MeasuredCells:
    """The measured cells of an import's folder. Raises InputError as ``analyse_import`` does."""
    answers, settings, notes = imported_answers(folder)
    return MeasuredCells(cells=_measured(answers, settings), notes=notes)


def measured_in_files(paths: Sequence[Path]) -> MeasuredCells:
    """The measured cells of tables of deltas. Raises InputError as ``analyse_files`` does."""
    frame = stack_tables(paths)
    settings = AnalysisSettings(metric=metric_of(frame))
    read = tables_from(frame, metric=settings.metric)
    cells = measured_cells(read.deltas, settings=settings, by_seed=read.by_seed)
    return MeasuredCells(cells=cells, notes=read.notes)


def _measured(answers: Sequence[PairedAnswers], settings: AnalysisSettings) -> pl.DataFrame:
    tables = delta_tables(answers, settings.metric)
    return measured_cells(tables[DELTAS], settings=settings, by_seed=tables[BY_SEED], answers=answers)
