"""From a study folder to its tables and its report. No torch, no models, no data sets: the folder is enough."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from babel import Locale, UnknownLocaleError

from donorgrid.analyse import (
    AnalysisSettings,
    AnsweredRun,
    PairedAnswers,
    analyse,
    deltas,
    deltas_by_seed,
    pair_answers,
    to_released,
)
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder, whole_file
from donorgrid.core.records import Baseline, Cell, Run, Subject
from donorgrid.pipeline.ledger import Ledger
from donorgrid.pipeline.progress import Watch
from donorgrid.pipeline.workplan import WorkPlan, read_workplan
from donorgrid.report import Failure, ReportHead, render_report
from donorgrid.store.answers import read_answers

DELTAS, BY_SEED = "deltas", "deltas_by_seed"


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """The tables of a study by name, ``deltas`` and ``deltas_by_seed`` among them, and how much of it is there."""

    plan: WorkPlan
    tables: Mapping[str, pl.DataFrame]

    @property
    def n_cells_planned(self) -> int:
        """(model, recipe, source, target, seed) cells of the grid."""
        return len(self.plan.grid.runs) * len(self.plan.grid.targets)

    @property
    def n_cells_done(self) -> int:
        """Those that have a delta."""
        return self.tables[BY_SEED].height


def analyse_folder(folder: StudyFolder, settings: AnalysisSettings | None = None) -> Analysed:
    """Analyse what a study folder holds, finished or not. InputError when no run has an answer to compare yet."""
    plan = read_workplan(folder)
    chosen = settings or AnalysisSettings(metric=plan.study.metric, harm_limit_pp=plan.study.harm_limit_pp)
    answers = list(_answers(plan, folder))
    if not answers:
        raise InputError(f"{folder.root}: no run and its baseline are finished yet; 'donorgrid run' goes on")
    pooled = pl.concat([deltas(one, metric=chosen.metric) for one in answers])
    by_seed = pl.concat([deltas_by_seed(one, metric=chosen.metric) for one in answers])
    found = analyse(pooled, settings=chosen, by_seed=by_seed, answers=answers)
    return Analysed(plan=plan, tables={DELTAS: pooled, BY_SEED: by_seed, **found})


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as CSV, the deltas under the released table's column names. Equal tables give equal bytes."""
    written = []
    for name, frame in tables.items():
        with whole_file(folder / f"{name}.csv") as unfinished:
            _released(name, frame, tables).write_csv(unfinished)
        written.append(folder / f"{name}.csv")
    return written


def report_head(analysed: Analysed, folder: StudyFolder, *, versions: Mapping[str, str]) -> ReportHead:
    """What the report says about a study besides its tables."""
    plan = analysed.plan
    return ReportHead(
        title=f"Transfer in {folder.root.resolve().name}",
        models=tuple(model.name for model in plan.study.models),
        tasks=tuple(plan.languages_of),
        languages=tuple(plan.study.languages),
        recipes=tuple(plan.study.recipes),
        train_seeds=tuple(plan.study.train_seeds),
        metric=plan.study.metric,
        harm_limit_pp=plan.study.harm_limit_pp,
        n_cells_done=analysed.n_cells_done,
        n_cells_planned=analysed.n_cells_planned,
        sources=tuple(dict.fromkeys(run.source.name for run in plan.grid.runs)),
        targets=tuple(str(target) for target in plan.grid.targets),
        failures=_failures(plan, folder),
        versions=versions,
        language_names={code: _language_name(code) for code in plan.study.languages},
    )


def write_report(tables: Mapping[str, pl.DataFrame], head: ReportHead, path: Path) -> None:
    """Render the report and write it whole."""
    page = render_report(tables, head)
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _answers(plan: WorkPlan, folder: StudyFolder) -> Iterator[PairedAnswers]:
    """The paired answers of each model that has a baseline and at least one run."""
    ledger = Ledger(plan, folder)
    for model in plan.study.models:
        baseline = Baseline(model=model.name)
        targets = _answered(ledger, plan, baseline)
        runs = [run for run in plan.grid.runs if run.model == model.name and _answered(ledger, plan, run)]
        if targets and runs:
            base = read_answers(folder.items(baseline), targets)
            yield pair_answers(base, ((_label(plan, run), _read(ledger, plan, folder, run)) for run in runs))


def _answered(ledger: Ledger, plan: WorkPlan, subject: Subject) -> tuple[Cell, ...]:
    """The targets of the study that a subject has answered, as the study stands now."""
    missing = set(ledger.standing(subject).missing)
    return tuple(target for target in plan.grid.targets if target not in missing)


def _read(ledger: Ledger, plan: WorkPlan, folder: StudyFolder, run: Run) -> pl.DataFrame:
    return read_answers(folder.items(run), _answered(ledger, plan, run))


def _label(plan: WorkPlan, run: Run) -> AnsweredRun:
    facts = plan.facts[run.model]
    return AnsweredRun(
        model=run.model,
        recipe=run.recipe.name,
        source=run.source,
        train_seed=run.train_seed,
        data_seed=run.data_seed,
        train_size=run.train_size,
        family=facts.family,
        size_b=facts.size_b,
    )


def _released(name: str, frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    if name == DELTAS:
        return to_released(frame, by_seed=tables.get(BY_SEED))
    return to_released(frame) if name == BY_SEED else frame


def _failures(plan: WorkPlan, folder: StudyFolder) -> tuple[Failure, ...]:
    return tuple(
        Failure(
            model=failure.model,
            reason=failure.reason,
            source=failure.source,
            recipe=failure.recipe or "",
            train_seed=failure.train_seed,
        )
        for failure in Watch(plan, folder).failures()
    )


def _language_name(code: str) -> str:
    """The English name of a language code, or the code itself where CLDR has none."""
    try:
        return Locale.parse(code, sep="-").get_language_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code
