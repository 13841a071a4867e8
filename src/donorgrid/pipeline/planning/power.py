"""What a planned study can show: the smallest delta that it finds. No torch, no models."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from donorgrid.analyse import measured_noise
from donorgrid.core.errors import InputError, naming
from donorgrid.core.records import Cell
from donorgrid.pipeline.analyse.analyse_study import analysis_of
from donorgrid.pipeline.analyse.tables import BY_SEED, DELTAS
from donorgrid.pipeline.prepare.study import PreparedItems, prepare_items, study_paths
from donorgrid.plan.power import power_table
from donorgrid.statistics.power import Noise


def noise_from(given: Sequence[Path]) -> Noise:
    """The noise that a measured study, import or table shows."""
    with naming(", ".join(map(str, given))):
        tables = analysis_of(given, change=lambda settings: replace(settings, n_bootstrap=0, n_permutations=0)).tables
        return measured_noise(tables[DELTAS], tables.get(BY_SEED), regimes=tables["regimes"])


def power_of_study(study: Path, noise: Noise, *, wanted_pp: float, harm_limit_pp: float | None = None) -> pl.DataFrame:
    """What a planned study can show, with as many test items as its smallest target has.

    Parameters
    ----------
    study : Path
        A study file, or a folder that holds ``study.yaml``.
    noise : Noise
        How much answers change without an effect.
    wanted_pp : float
        The delta that is to be found, in percentage points.
    harm_limit_pp : float, optional
        A delta at or below minus this is harm; None: the study's own limit.

    Returns
    -------
    pl.DataFrame
        As ``POWER`` declares.

    Raises
    ------
    InputError
        If the study cannot be read, or has no plain source cell.
    """
    prepared = prepare_items(study_paths(study, None)[0])
    return power_of_items(prepared, noise, wanted_pp=wanted_pp, harm_limit_pp=harm_limit_pp)


def power_of_items(
    prepared: PreparedItems, noise: Noise, *, wanted_pp: float, harm_limit_pp: float | None = None
) -> pl.DataFrame:
    """What a planned study can show, for a study whose items were read already.

    Parameters
    ----------
    prepared : PreparedItems
        The study with its grid and items.
    noise : Noise
        As in ``power_of_study``.
    wanted_pp : float
        As in ``power_of_study``.
    harm_limit_pp : float, optional
        As in ``power_of_study``.

    Returns
    -------
    pl.DataFrame
        As ``POWER`` declares.

    Raises
    ------
    InputError
        If the study has no plain source cell.
    """
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
        harm_limit_pp=study.harm_limit_pp if harm_limit_pp is None else harm_limit_pp,
    )


def power_of_design(
    *,
    n_tasks: int,
    n_languages: int,
    n_items: int,
    n_seeds: int,
    n_models: int,
    noise: Noise,
    wanted_pp: float,
    harm_limit_pp: float,
) -> pl.DataFrame:
    """What a full grid can show.

    Parameters
    ----------
    n_tasks : int
        Tasks of the grid.
    n_languages : int
        Languages of the grid; every (task, language) is a source and a target.
    n_items : int
        Test items per target.
    n_seeds : int
        Train seeds.
    n_models : int
        Base models.
    noise : Noise
        As in ``power_of_study``.
    wanted_pp : float
        As in ``power_of_study``.
    harm_limit_pp : float
        A delta at or below minus this is harm.

    Returns
    -------
    pl.DataFrame
        As ``POWER`` declares.
    """
    cells = [Cell(task=f"task{t}", language=f"language{i}") for t in range(n_tasks) for i in range(n_languages)]
    return power_table(
        cells,
        cells,
        n_items=n_items,
        n_seeds=n_seeds,
        n_models=n_models,
        noise=noise,
        wanted_pp=wanted_pp,
        harm_limit_pp=harm_limit_pp,
    )
