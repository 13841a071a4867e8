"""All tables of the analysis from the deltas: the one function that the pipeline and the command line call."""

from collections.abc import Callable, Sequence

import polars as pl

from donorgrid.analyse.answers import PairedAnswers
from donorgrid.analyse.cells import Arm, arms, judged
from donorgrid.analyse.consistency import consistency_table
from donorgrid.analyse.coverage import coverage
from donorgrid.analyse.groups import summarise
from donorgrid.analyse.harm import harm_breakdown
from donorgrid.analyse.matrices import matrix_language, matrix_task
from donorgrid.analyse.noise import cells_table, noise_table, verdicts_table
from donorgrid.analyse.pareto import pareto_table
from donorgrid.analyse.regimes import regimes_table
from donorgrid.analyse.roles import roles_family, roles_language, roles_task
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.sign_flips import max_t_table
from donorgrid.analyse.uncertainty import with_uncertainty
from donorgrid.analyse.variance import variance_tables
from donorgrid.core import tables
from donorgrid.core.errors import InputError
from donorgrid.core.tables import Table

DEFAULTS = AnalysisSettings()

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
    what depends on seeds and items. Arms (recipe, train size) are analysed apart and stacked; data seeds are pooled.
    Mixes and controls stay out of every table but ``mixes_controls``. Raises InputError when there are no rows.
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
    cells = rows.filter(pl.col("source_kind") == "cell")
    others = rows.filter(pl.col("source_kind") != "cell")
    found = {name: _finished(table, make(cells, settings), arm) for name, (table, make) in _HEADLINE.items()}
    summary = summarise(others, ["model", "source_name", "source_kind"], settings)
    variances, effects = variance_tables(cells, settings)
    found["variance"] = _finished(tables.VARIANCE, variances, arm)
    found["effects"] = _finished(tables.EFFECTS, effects, arm)
    found["consistency"] = _finished(tables.CONSISTENCY, consistency_table(cells, settings), arm)
    found |= _noise(cells, arm, settings, by_seed, answers)
    found["mixes_controls"] = _finished(tables.MIXES_CONTROLS, summary, arm)
    found["coverage"] = _finished(tables.COVERAGE, coverage(cells), arm)
    return found


def _noise(
    cells: pl.DataFrame,
    arm: Arm,
    settings: AnalysisSettings,
    by_seed: pl.DataFrame | None,
    answers: Sequence[PairedAnswers],
) -> dict[str, pl.DataFrame]:
    flips = max_t_table(answers, arm, settings)
    measured = cells_table(with_uncertainty(cells, settings, by_seed=by_seed), flips, settings)
    return {
        "noise": _finished(tables.NOISE, noise_table(measured, settings), arm),
        "verdicts": _finished(tables.VERDICTS, verdicts_table(measured, settings), arm),
        "cells": _finished(tables.CELLS, measured.drop("prior_sd_pp", "qy_harm", "qy_help"), arm),
    }


def _finished(table: Table, frame: pl.DataFrame, arm: Arm) -> pl.DataFrame:
    labelled = frame.with_columns(
        recipe=pl.lit(arm.recipe, dtype=pl.String), train_size=pl.lit(arm.train_size, dtype=pl.Int64)
    )
    return table.check(labelled)
