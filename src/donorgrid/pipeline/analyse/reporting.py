"""From an analysis to its report."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl
from babel import Locale, UnknownLocaleError

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import point_in_words
from donorgrid.pipeline.analyse.tables import DELTAS, Analysed
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.progress import Watch
from donorgrid.report import Failure, ReportHead, ShownAdvice, render_report
from donorgrid.store import logs
from donorgrid.store.logs import read_manifests


def write_report(analysed: Analysed, folder: StudyFolder, *, advice: tuple[ShownAdvice, ...] = ()) -> Path:
    """Write an analysis as ``report.html``.

    Parameters
    ----------
    analysed : Analysed
        The analysis.
    folder : StudyFolder
        The folder of the study, import or analysis.
    advice : tuple of ShownAdvice
        What to train on.

    Returns
    -------
    Path
        The page.
    """
    head = _study_head(analysed, analysed.plan, folder) if analysed.plan is not None else _tables_head(analysed)
    page = render_report(analysed.tables, replace(head, advice=advice))
    with whole_file(folder.report) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return folder.report


def _study_head(analysed: Analysed, plan: WorkPlan, folder: StudyFolder) -> ReportHead:
    manifests = read_manifests(folder)
    return ReportHead(
        title=analysed.title,
        models=tuple(model.name for model in plan.study.models),
        tasks=tuple(plan.languages_of),
        languages=tuple(plan.study.language_codes),
        recipes=tuple(plan.study.recipes),
        train_seeds=tuple(plan.study.train_seeds),
        metric=analysed.settings.metric,
        harm_limit_pp=analysed.settings.harm_limit_pp,
        n_cells_done=analysed.n_cells_done,
        n_cells_planned=analysed.n_cells_planned,
        sources=tuple(dict.fromkeys(subject.source.name for subject in plan.grid.compared)),
        targets=tuple(str(target) for target in plan.grid.targets),
        failures=_failures(plan, folder),
        warnings=_distinct(note for manifest in manifests for note in manifest["notes"]),
        versions={
            package: ", ".join(_distinct(manifest["versions"][package] for manifest in manifests))
            for package in (manifests[0]["versions"] if manifests else ())
        },
        language_names=_language_names(plan.study.language_codes),
    )


def _tables_head(analysed: Analysed) -> ReportHead:
    frame = analysed.tables[DELTAS]
    languages = _values(frame, "target_language")
    return ReportHead(
        title=analysed.title,
        models=_values(frame, "model"),
        tasks=_values(frame, "target_task"),
        languages=languages,
        recipes=_values(frame, "recipe"),
        train_seeds=(),
        metric=analysed.settings.metric,
        harm_limit_pp=analysed.settings.harm_limit_pp,
        n_cells_done=analysed.n_cells_done,
        n_cells_planned=analysed.n_cells_planned,
        warnings=analysed.notes,
        language_names=_language_names(languages),
    )


def _values(frame: pl.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(frame[column].drop_nulls().unique().sort()) if column in frame.columns else ()


def _failures(plan: WorkPlan, folder: StudyFolder) -> tuple[Failure, ...]:
    return tuple(
        Failure(
            model=failure.model,
            reason=" ".join([failure.reason, *_point(failure)]),
            source=failure.source,
            recipe=failure.recipe or "",
            train_seed=failure.train_seed,
        )
        for failure in Watch(plan, folder).failures()
    )


def _point(failure: logs.Failure) -> list[str]:
    point = point_in_words(failure.checkpoint, failure.strength)
    return [f"({point})"] if point else []


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _language_names(codes: Iterable[str]) -> dict[str, str]:
    """The English names of language codes; the code itself where CLDR has none."""
    return {code: _language_name(code) for code in codes}


def _language_name(code: str) -> str:
    try:
        return Locale.parse(code, sep="-").get_language_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code
