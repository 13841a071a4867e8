"""Grids whose truth is known, to plan on or to try the analysis with."""

from pathlib import Path

import polars as pl

from donorgrid.analyse import to_released
from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.records import Baseline, Run
from donorgrid.core.tables import write_csv
from donorgrid.exchange import ImportedAnswers, ImportedSubject, write_import
from donorgrid.pipeline.analyse.tables import BY_SEED
from donorgrid.simulate import SimulationSettings, simulate_answers, simulate_tables, true_deltas


def simulate_study(settings: SimulationSettings, out: Path, *, items: bool) -> list[Path]:
    """Draw a grid with known truth into a new folder.

    Parameters
    ----------
    settings : SimulationSettings
        The size of the grid and its true effects.
    out : Path
        The new folder.
    items : bool
        True: answers item by item, in the form of an import. False: tables of deltas.

    Returns
    -------
    list of Path
        What was written; the truth comes last.

    Raises
    ------
    InputError
        If the folder holds anything.
    """
    if out.is_file() or (out.exists() and any(out.iterdir())):
        raise InputError(f"{out}: is there already; give a new folder")
    if items:
        _write_answers(settings, out)
        return [out, _write(true_deltas(settings), out / "truth.csv")]
    drawn = simulate_tables(settings)
    return [
        _write(to_released(drawn.by_seed), out / f"{BY_SEED}.csv"),
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
        write_csv(frame, unfinished)
    return path
