"""What a planned study can show, and grids with known truth to plan on. No torch, no models."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from donorgrid.analyse import measured_noise
from donorgrid.analyse import to_released as released
from donorgrid.core.errors import InputError
from donorgrid.core.names import whole_file
from donorgrid.core.records import Baseline, Cell, Run
from donorgrid.exchange import ImportedAnswers, ImportedSubject, write_import
from donorgrid.pipeline.analyse.steps import analysis_of
from donorgrid.pipeline.analyse.tables import BY_SEED, DELTAS
from donorgrid.pipeline.prepare.study import PreparedItems, prepare_items, study_paths
from donorgrid.plan.power import power_table
from donorgrid.simulate import SimulationSettings, simulate_answers, simulate_tables, true_deltas
from donorgrid.statistics.power import Noise


def noise_from(given: Sequence[Path]) -> Noise:
    """The noise that a measured study, import or table shows."""
    tables = analysis_of(given, change=lambda one: replace(one, n_bootstrap=0, n_permutations=0)).tables
    return measured_noise(tables[DELTAS], tables.get(BY_SEED), regimes=tables["regimes"])


def power_of_study(study: Path, noise: Noise, *, wanted_pp: float) -> pl.DataFrame:
    """What a study can show as it is planned, with the test items that its smallest target has."""
    return power_of_items(prepare_items(study_paths(study, None)[0]), noise, wanted_pp=wanted_pp)


def power_of_items(prepared: PreparedItems, noise: Noise, *, wanted_pp: float) -> pl.DataFrame:
    """The same, of a study whose items are read."""
    grid, study = prepared.grid, prepared.study
    plain = dict.fromkeys(run.source.cells[0] for run in grid.runs if run.source.kind == "cell")
    if not plain:
        raise InputError("power: the study has no plain source cell, only mixes or controls")
    return power_table(
        list(plain),
        grid.targets,
        n_items=min(len(prepared.cells[cell].test) for cell in grid.targets),
        n_seeds=len(study.train_seeds),
        n_models=len(study.models),
        noise=noise,
        wanted_pp=wanted_pp,
    )


def power_of_design(
    *, n_tasks: int, n_languages: int, n_items: int, n_seeds: int, n_models: int, noise: Noise, wanted_pp: float
) -> pl.DataFrame:
    """What a full grid of so many tasks and languages can show."""
    cells = [Cell(task=f"task{t}", language=f"language{i}") for t in range(n_tasks) for i in range(n_languages)]
    return power_table(
        cells, cells, n_items=n_items, n_seeds=n_seeds, n_models=n_models, noise=noise, wanted_pp=wanted_pp
    )


def simulate_study(settings: SimulationSettings, out: Path, *, items: bool) -> list[Path]:
    """Draw a grid with known truth into the new folder ``out``; the written paths, the truth last.

    ``items``: answers item by item, in the form of an import; else tables of deltas.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out}: is there already; give a new folder")
    if items:
        _write_answers(settings, out)
        return [out, _write(true_deltas(settings), out / "truth.csv")]
    drawn = simulate_tables(settings)
    return [
        _write(released(drawn.by_seed), out / f"{BY_SEED}.csv"),
        _write(drawn.truth, out / "truth.csv"),
    ]


def _write_answers(settings: SimulationSettings, out: Path) -> None:
    frames = {_imported(subject): frame for subject, frame in simulate_answers(settings)}
    write_import(ImportedAnswers(subjects=tuple(frames), read=frames.__getitem__, notes=("simulated",)), out)


def _imported(subject: Run | Baseline) -> ImportedSubject:
    if isinstance(subject, Baseline):
        return ImportedSubject(model=subject.model, source=None)
    return ImportedSubject(
        model=subject.model,
        source=subject.source,
        recipe=subject.recipe.name,
        train_seed=subject.train_seed,
        data_seed=subject.data_seed,
        train_size=subject.train_size,
    )


def _write(frame: pl.DataFrame, path: Path) -> Path:
    with whole_file(path) as unfinished:
        frame.write_csv(unfinished)
    return path
