"""All tables of the analysis from the deltas: the one function that the pipeline and the command line call."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import polars as pl

from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.item_errors import with_item_errors
from donorgrid.analyse.errors.paired_differences import ArmDifferences, differences_of
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.answers import PairedAnswers
from donorgrid.analyse.reading.arms import Arm, arms, judged
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.choosing import agreement_table, choosing_table
from donorgrid.analyse.tables.consistency import consistency_table
from donorgrid.analyse.tables.coverage import coverage
from donorgrid.analyse.tables.degenerate import baselines_table, degenerate_table, with_flag, without_degenerate
from donorgrid.analyse.tables.groups import summarise
from donorgrid.analyse.tables.harm import harm_breakdown
from donorgrid.analyse.tables.intervals import intervals_table
from donorgrid.analyse.tables.linguistic import linguistic_table
from donorgrid.analyse.tables.matrices import matrix_language, matrix_task
from donorgrid.analyse.tables.noise import cells_table, noise_table, verdicts_table
from donorgrid.analyse.tables.pareto import pareto_table
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.analyse.tables.roles import roles_family, roles_language, roles_task
from donorgrid.analyse.tables.sources import sources_table
from donorgrid.analyse.tables.specific import specific_cells, specific_tables
from donorgrid.analyse.tables.variance import FITS, QUICK_FITS, variance_tables
from donorgrid.core import tables
from donorgrid.core.errors import InputError
from donorgrid.core.tables import Table
from donorgrid.core.tables.declaring import ARM

DEFAULTS = AnalysisSettings()
SOUND = "_sound"
"""Ending of the names of the headline tables without degenerate targets."""

SOUND_REFITS = 4
"""They take a fourth of the bootstrap draws: they are there for comparison with the headline."""

Made = dict[str, tuple[Table, pl.DataFrame]]

_HEADLINE: dict[str, tuple[Table, Callable[[pl.DataFrame, AnalysisSettings], pl.DataFrame]]] = {
    "regimes": (tables.REGIMES, regimes_table),
    "harm_breakdown": (tables.HARM_BREAKDOWN, harm_breakdown),
    "roles_language": (tables.ROLES_LANGUAGE, roles_language),
    "roles_task": (tables.ROLES_TASK, roles_task),
    "roles_family": (tables.ROLES_FAMILY, roles_family),
    "matrix_language": (tables.MATRIX_LANGUAGE, matrix_language),
    "matrix_task": (tables.MATRIX_TASK, matrix_task),
    "pareto": (tables.PARETO, pareto_table),
}


def analyse(
    deltas: pl.DataFrame,
    *,
    settings: AnalysisSettings = DEFAULTS,
    by_seed: pl.DataFrame | None = None,
    answers: Sequence[PairedAnswers] = (),
) -> dict[str, pl.DataFrame]:
    """Every table of the study, by name: each frame is written to ``tables/<name>.csv``.

    ``deltas`` (DELTAS), with holes as it may have; ``by_seed`` (DELTAS_BY_SEED) and ``answers`` (one per model) sharpen
    what depends on seeds and items. Arms (recipe, train size, checkpoint) are analysed apart and stacked; data seeds
    are pooled. Few-shot prompts, which nothing was trained for, are controls of every arm.
    Mixes and controls stay out of every table but ``mixes_controls`` and what is measured against them (``specific_``).
    Headline tables stand twice: with all targets, and as ``<name>_sound`` without the degenerate ones.
    Raises InputError when there are no rows.
    """
    checked = tables.DELTAS.check(deltas)
    if not checked.height:
        raise InputError("analyse: the table of deltas has no rows")
    per_arm = [_one_arm(arm, part, settings, by_seed, answers) for arm, part in arms(checked)]
    return {name: pl.concat([found[name] for found in per_arm]) for name in per_arm[0]}


def _one_arm(
    arm: Arm,
    deltas: pl.DataFrame,
    settings: AnalysisSettings,
    by_seed: pl.DataFrame | None,
    answers: Sequence[PairedAnswers],
) -> dict[str, pl.DataFrame]:
    rows = judged(deltas, settings, by_seed=by_seed)
    plain = rows.filter(pl.col("source_kind") == "cell")
    others = rows.filter(pl.col("source_kind") != "cell")
    own = differences_of(answers, arm, metric=settings.metric)
    baselines = baselines_table(plain, settings, answers=answers, own=own)
    cells = with_flag(plain, baselines)
    found = _headline(cells, own, settings)
    found |= _without_degenerate(found, cells, own=own, baselines=baselines, settings=settings)
    found |= _noise(cells, own, settings, by_seed)
    found |= _choosing(cells, own, settings, by_seed)
    found |= _specific(cells, others, own, settings)
    found["baselines"] = (tables.BASELINES, baselines)
    found["degenerate"] = (tables.DEGENERATE, degenerate_table(baselines))
    summary = summarise(others, ["model", "source_name", "source_kind"], settings)
    found["mixes_controls"] = (tables.MIXES_CONTROLS, summary)
    found["coverage"] = (tables.COVERAGE, coverage(cells))
    return {name: _finished(table, frame, arm) for name, (table, frame) in found.items()}


def _headline(
    cells: pl.DataFrame,
    own: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    fits: Collection[str] = tuple(FITS),
) -> Made:
    frames = with_item_errors({name: make(cells, settings) for name, (_, make) in _HEADLINE.items()}, own)
    variances, effects = variance_tables(cells, settings, fits=fits)
    return {name: (table, frames[name]) for name, (table, _) in _HEADLINE.items()} | {
        "variance": (tables.VARIANCE, variances),
        "effects": (tables.EFFECTS, effects),
        "consistency": (tables.CONSISTENCY, consistency_table(cells, settings)),
    }


def _without_degenerate(
    found: Made,
    cells: pl.DataFrame,
    *,
    own: Sequence[ArmDifferences],
    baselines: pl.DataFrame,
    settings: AnalysisSettings,
) -> Made:
    """The headline tables once more, named ``<name>_sound``, from the cells whose target is sound for their model."""
    sound = found
    if cells["degenerate"].any():
        fewer = replace(settings, n_bootstrap=settings.n_bootstrap // SOUND_REFITS)
        kept = without_degenerate(own, baselines)
        sound = _headline(cells.filter(~pl.col("degenerate")), kept, fewer, fits=QUICK_FITS)
    return {f"{name}{SOUND}": made for name, made in sound.items()}


def _noise(
    cells: pl.DataFrame, own: Sequence[ArmDifferences], settings: AnalysisSettings, by_seed: pl.DataFrame | None
) -> Made:
    flips = max_t_table(own, settings)
    uncertain = with_uncertainty(cells, settings, by_seed=by_seed)
    measured = cells_table(uncertain, flips, settings, shared=shared_noise(own))
    return {
        "noise": (tables.NOISE, noise_table(measured, settings)),
        "verdicts": (tables.VERDICTS, verdicts_table(measured, settings)),
        "cells": (tables.CELLS, measured.drop("prior_sd_pp", "qy_harm", "qy_help")),
        "intervals": (tables.INTERVALS, intervals_table(cells, own, settings, by_seed=by_seed)),
    }


def _choosing(
    cells: pl.DataFrame, own: Sequence[ArmDifferences], settings: AnalysisSettings, by_seed: pl.DataFrame | None
) -> Made:
    return {
        "sources": (tables.SOURCES, sources_table(cells, own, settings)),
        "choosing": (tables.CHOOSING, choosing_table(own, settings, cells=cells, by_seed=by_seed)),
        "agreement": (tables.AGREEMENT, agreement_table(cells, own, settings)),
    }


def _specific(
    cells: pl.DataFrame, others: pl.DataFrame, own: Sequence[ArmDifferences], settings: AnalysisSettings
) -> Made:
    against = specific_cells(cells, others, settings)
    regimes, roles = specific_tables(against, own, settings)
    return {
        "specific_regimes": (tables.SPECIFIC_REGIMES, regimes),
        "specific_roles": (tables.SPECIFIC_ROLES, roles),
        "linguistic": (tables.LINGUISTIC, linguistic_table(cells, against, settings)),
    }


def _finished(table: Table, frame: pl.DataFrame, arm: Arm) -> pl.DataFrame:
    labelled = frame.with_columns(
        pl.lit(value, dtype=kind).alias(name) for (name, kind), value in zip(ARM.items(), arm, strict=True)
    )
    return table.check(labelled)
