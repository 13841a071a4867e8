"""All tables of the analysis from the deltas: the one function that the pipeline and the command line call."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from donorgrid.analyse.reading.answers import PairedAnswers
from donorgrid.analyse.reading.arms import Arm, arms, judged
from donorgrid.analyse.reading.factors import QUICK_FITS
from donorgrid.analyse.reading.paired_differences import ArmDifferences, differences_of, without_cells
from donorgrid.analyse.registry import FURTHER, HEADLINE, SOUND, UNSHARED, WITHOUT_SHARED
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.degenerate import baselines_table, with_flag, without_degenerate
from donorgrid.analyse.tables.making import ArmData, TableMaker
from donorgrid.analyse.tables.noise import cells_with_noise
from donorgrid.analyse.tables.shared_texts import shared_pairs, without_shared
from donorgrid.analyse.tables.specific import specific_cells
from donorgrid.core.errors import InputError
from donorgrid.core.tables import DELTAS, Table
from donorgrid.core.tables.declaring import ARM

DEFAULTS = AnalysisSettings()
_Frames = dict[str, tuple[Table, pl.DataFrame]]


def analyse(
    deltas: pl.DataFrame,
    *,
    settings: AnalysisSettings = DEFAULTS,
    by_seed: pl.DataFrame | None = None,
    answers: Sequence[PairedAnswers] = (),
) -> dict[str, pl.DataFrame]:
    """Make every table of the study.

    Arms (recipe, train size, checkpoint, strength) are analysed apart and stacked; data seeds are pooled. Few-shot
    prompts, which nothing was trained for, are controls of every arm. Mixes and controls stay out of every table but
    ``mixes_controls`` and what is measured against them (``specific_``). Headline tables are made twice: with all
    targets, and as ``<name>_sound`` without the degenerate ones. Where sources train on test items, some are made again
    as ``<name>_unshared``: without such cells, and without degenerate targets if any target is sound.

    Parameters
    ----------
    deltas : DataFrame
        DELTAS; cells may be missing.
    settings : AnalysisSettings
        What a user can choose.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED: sharpens what depends on training runs.
    answers : sequence of PairedAnswers
        One per model: sharpens what depends on items.

    Returns
    -------
    dict of str to DataFrame
        Name -> table, to be written to ``tables/<name>.csv``. ``registry.py`` lists the names.

    Raises
    ------
    InputError
        When there are no rows, or columns are missing.
    """
    checked = DELTAS.check(deltas)
    if not checked.height:
        raise InputError("analyse: the table of deltas has no rows")
    per_arm = [_tables_of_arm(arm, part, settings, by_seed, answers) for arm, part in arms(checked)]
    return {name: pl.concat([tables[name] for tables in per_arm]) for name in per_arm[0]}


def _tables_of_arm(
    arm: Arm,
    deltas: pl.DataFrame,
    settings: AnalysisSettings,
    by_seed: pl.DataFrame | None,
    answers: Sequence[PairedAnswers],
) -> dict[str, pl.DataFrame]:
    data = _arm_data(arm, deltas, settings, by_seed, answers)
    headline = _make(HEADLINE, data)
    sound = _make(HEADLINE, _without_degenerate(data)) if data.cells["degenerate"].any() else headline
    frames = headline | {f"{name}{SOUND}": frame for name, frame in sound.items()} | _make(FURTHER, data)
    frames |= {f"{name}{UNSHARED}": frame for name, frame in _unshared(data).items()}
    return {name: _checked(table, frame, arm) for name, (table, frame) in frames.items()}


def _arm_data(
    arm: Arm,
    deltas: pl.DataFrame,
    settings: AnalysisSettings,
    by_seed: pl.DataFrame | None,
    answers: Sequence[PairedAnswers],
) -> ArmData:
    rows = judged(deltas, settings, by_seed=by_seed)
    plain = rows.filter(pl.col("source_kind") == "cell")
    others = rows.filter(pl.col("source_kind") != "cell")
    differences = differences_of(answers, arm, metric=settings.metric)
    baselines = baselines_table(plain, settings, answers=answers, differences=differences)
    cells = with_flag(plain, baselines)
    return ArmData(
        cells=cells,
        others=others,
        baselines=baselines,
        measured=cells_with_noise(cells, differences, settings, by_seed=by_seed),
        specific=specific_cells(cells, others, settings),
        differences=differences,
        by_seed=by_seed,
        settings=settings,
    )


def _without_degenerate(data: ArmData) -> ArmData:
    """The cells whose target is sound for their model, with their noise judged among themselves, and fewer fits."""
    cells = data.cells.filter(~pl.col("degenerate"))
    return _with_cells(data, cells, without_degenerate(data.differences, data.baselines))


def _with_cells(data: ArmData, cells: pl.DataFrame, differences: Sequence[ArmDifferences]) -> ArmData:
    measured = cells_with_noise(cells, differences, data.settings, by_seed=data.by_seed)
    return replace(data, cells=cells, differences=differences, measured=measured, fits=QUICK_FITS)


def _unshared(data: ArmData) -> _Frames:
    """The headline without cells whose source trains on the target's items; nothing where no source does."""
    shared = shared_pairs(data.settings.shared_items)
    if not shared:
        return {}
    sound = _without_degenerate(data) if data.cells["degenerate"].any() else data
    basis = sound if sound.cells.height else data
    cells = without_shared(basis.cells, shared)
    kept = _with_cells(basis, cells, [without_cells(paired, shared) for paired in basis.differences])
    return _make((maker for maker in HEADLINE if maker.tables.keys() <= set(WITHOUT_SHARED)), kept)


def _make(makers: Iterable[TableMaker], data: ArmData) -> _Frames:
    frames: _Frames = {}
    for maker in makers:
        for (name, table), frame in zip(maker.tables.items(), maker.make(data), strict=True):
            frames[name] = (table, frame)
    return frames


def _checked(table: Table, frame: pl.DataFrame, arm: Arm) -> pl.DataFrame:
    """The frame with the columns of its arm, checked against its declaration."""
    labelled = frame.with_columns(
        pl.lit(value, dtype=kind).alias(name) for (name, kind), value in zip(ARM.items(), arm, strict=True)
    )
    return table.check(labelled)
