"""Measured cells of studies and tables, as the statistics take them: knowledge of other models, deltas of this one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.core.tables.declaring import ARM
from donorgrid.pipeline.advise.seed_noise import is_assumed, with_noise_by_source_task
from donorgrid.pipeline.analyse.analyse_study import measured_in
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.statistics.transfer_model.knowledge import KnownDelta
from donorgrid.statistics.transfer_model.question import Measured
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

_MOST_SHARED = 0.5
"""The baseline's part of a paired difference's variance is at most half of it."""
_LEAST_VARIANCE = 1e-4


def read_cells(paths: Sequence[Path]) -> list[MeasuredCells]:
    """The measured cells of several studies and tables; tables are stacked, studies read one by one.

    Raises InputError if one of them holds nothing that can be used.
    """
    tables = [path for path in paths if path.is_file() and path.suffix.lower() in (".csv", ".parquet")]
    others = [path for path in paths if path not in tables]
    frames = [*([measured_in(tables)] if tables else []), *(measured_in(path) for path in others)]
    return [replace(frame, cells=with_noise_by_source_task(frame.cells)) for frame in frames]


def models_in(frames: Sequence[MeasuredCells]) -> list[str]:
    """Returns the names of the models that have cells, sorted."""
    return sorted({model for frame in frames for model in frame.cells["model"].unique().to_list()})


def known_deltas(frames: Sequence[MeasuredCells], *, without: str | None) -> list[KnownDelta]:
    """Deltas between plain cells of the knowledge models.

    Parameters
    ----------
    frames : sequence of MeasuredCells
        Cells of any models.
    without : str, optional
        The model in question, which is not knowledge of itself.

    Returns
    -------
    list of KnownDelta
        Of each model, those of the arm with the most cells. A noise that was only assumed is unknown where any other
        was measured.
    """
    deltas = []
    measured_any = any(not is_assumed(frame.cells).all() for frame in frames)
    for frame in frames:
        plain = frame.cells.filter((pl.col("source_kind") == "cell") & (pl.col("model") != (without or "")))
        for _, model in plain.group_by("model", maintain_order=True):
            arm = _largest_arm(model)
            known = ~is_assumed(arm) if measured_any else np.ones(arm.height, dtype=bool)
            deltas += [_known_delta(row, at) for row, at in zip(arm.iter_rows(named=True), known, strict=True)]
    return deltas


def arms_of(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Returns the arms of one model's cells with a name for each: the recipe, and what else tells them apart."""
    arms = []
    for values, part in frame.group_by(*ARM, maintain_order=True):
        recipe, train_size, checkpoint, strength = values
        further = [f"{train_size} texts"] if train_size is not None else []
        further += [f"{checkpoint} epochs"] if checkpoint is not None else []
        further += [f"strength {strength:g}"] if strength is not None else []
        arms.append((", ".join([str(recipe), *further]), part))
    return arms


def measured_deltas(cells: pl.DataFrame, sources: Mapping[str, int], targets: Mapping[Cell, int]) -> Measured | None:
    """The deltas of one arm of the model in question.

    Parameters
    ----------
    cells : DataFrame
        Its measured cells.
    sources : mapping of str to int
        Number of each source, by its name.
    targets : mapping of Cell to int
        Number of each target.

    Returns
    -------
    Measured or None
        None where nothing of it was measured.
    """
    rows = [
        (sources[row["source_name"]], targets[target], row["delta_pp"], row["noise_se_pp"], row["shared_se_pp"])
        for row in cells.iter_rows(named=True)
        if row["source_name"] in sources and (target := _target(row)) in targets
    ]
    if not rows:
        return None
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    index = np.stack(columns[:2], axis=1).astype(int)
    variance = _known_or(columns[3] ** 2, typical=1.0)
    shared = np.minimum(np.nan_to_num(columns[4] ** 2), variance * _MOST_SHARED)
    baseline = np.zeros(len(targets))
    np.maximum.at(baseline, index[:, 1], shared)
    return Measured(
        index=index,
        delta_pp=columns[2],
        noise_variance=np.maximum(variance - shared, _LEAST_VARIANCE),
        baseline_variance=baseline,
    )


def source_parts(row: Mapping[str, object], plan_sources: Mapping[str, SourceParts]) -> SourceParts | None:
    """The cells of a source with their weights; None for a control, or for a mix whose parts are not known.

    Parameters
    ----------
    row : mapping
        A row of measured cells.
    plan_sources : mapping of str to SourceParts
        Sources of the study's plan by name.

    Returns
    -------
    SourceParts or None
    """
    if row["source_kind"] == "cell":
        return {Cell(task=str(row["source_task"]), language=str(row["source_language"])): 1.0}
    return plan_sources.get(str(row["source_name"])) if row["source_kind"] == "mix" else None


def need_one_model(models: Sequence[str], named: str | None) -> str:
    """The model in question.

    Parameters
    ----------
    models : sequence of str
        Those that have cells.
    named : str, optional
        The one that the user named.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the name is none of them, or several have cells and none was named.
    """
    if named is not None:
        if named not in models:
            raise InputError(f"--model {named}: measured are {', '.join(models)}")
        return named
    if len(models) != 1:
        raise InputError(f"recommend: cells of {len(models)} models ({', '.join(models)}): name one with --model")
    return models[0]


def _largest_arm(model: pl.DataFrame) -> pl.DataFrame:
    return max((part for _, part in arms_of(model)), key=lambda part: part.height)


def _known_delta(row: Mapping[str, object], noise_is_known: bool) -> KnownDelta:
    se = row["noise_se_pp"] if noise_is_known else None
    return KnownDelta(
        model=str(row["model"]),
        family=None if row.get("family") is None else str(row["family"]),
        source=Cell(task=str(row["source_task"]), language=str(row["source_language"])),
        target=_target(row),
        delta_pp=float(str(row["delta_pp"])),
        noise_variance=float("nan") if se is None else float(str(se)) ** 2,
    )


def _target(row: Mapping[str, object]) -> Cell:
    return Cell(task=str(row["target_task"]), language=str(row["target_language"]))


def _known_or(values: np.ndarray, *, typical: float) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, known.mean() if known.size else typical)
