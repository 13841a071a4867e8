"""Donor and recipient scores of languages (within MT-CL), tasks (within CT-ML) and language families."""

import polars as pl

from donorgrid.analyse.errors.item_errors import with_role_errors
from donorgrid.analyse.reading.cell_sets import ROLE_REGIMES
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models
from donorgrid.analyse.tables.making import ArmData, TableMaker
from donorgrid.core.tables import ROLES_FAMILY, ROLES_LANGUAGE, ROLES_TASK

LANGUAGE_REGIME, TASK_REGIME = ROLE_REGIMES["language"], ROLE_REGIMES["task"]


def roles_language(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_LANGUAGE rows of one arm, without item errors (arXiv 2511.13368).

    Parameters
    ----------
    cells : DataFrame
        Rows of plain cells.
    settings : AnalysisSettings
        ``confidence``.

    Returns
    -------
    DataFrame
    """
    rows = cells.filter(pl.col("regime") == LANGUAGE_REGIME)
    return _roles(rows, "source_language", "target_language", "language", settings)


def roles_task(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_TASK rows of one arm, without item errors.

    Parameters
    ----------
    cells : DataFrame
        Rows of plain cells.
    settings : AnalysisSettings
        ``confidence``.

    Returns
    -------
    DataFrame
    """
    rows = cells.filter(pl.col("regime") == TASK_REGIME)
    return _roles(rows, "source_task", "target_task", "task", settings)


def roles_family(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_FAMILY rows of one arm: a family's score averages the MT-CL cells of all its languages per model.

    Parameters
    ----------
    cells : DataFrame
        Rows of plain cells.
    settings : AnalysisSettings
        ``confidence`` and the families of languages.

    Returns
    -------
    DataFrame
    """
    rows = cells.filter(pl.col("regime") == LANGUAGE_REGIME)
    languages = sorted({*rows["source_language"].to_list(), *rows["target_language"].to_list()})
    families = {language: settings.language_family(language) for language in languages}
    named = rows.with_columns(
        source_family=pl.col("source_language").replace_strict(families, return_dtype=pl.String),
        target_family=pl.col("target_language").replace_strict(families, return_dtype=pl.String),
    )
    table = _roles(named, "source_family", "target_family", "language_family", settings)
    sizes = {name: sum(family == name for family in families.values()) for name in table["language_family"]}
    n_languages = pl.col("language_family").replace_strict(sizes, return_dtype=pl.Int64, default=0)
    return table.with_columns(n_languages=n_languages)


def _roles(rows: pl.DataFrame, source: str, target: str, name: str, settings: AnalysisSettings) -> pl.DataFrame:
    donors = _scores(rows, source, name, "donor", settings)
    recipients = _scores(rows, target, name, "recipient", settings)
    roles = donors.join(recipients, on=name, how="full", coalesce=True)
    n_models = pl.max_horizontal("donor_n_models", "recipient_n_models")
    return roles.with_columns(n_models=n_models).drop("donor_n_models", "recipient_n_models").sort(name)


def _scores(rows: pl.DataFrame, column: str, name: str, role: str, settings: AnalysisSettings) -> pl.DataFrame:
    known = rows.filter(pl.col(column).is_not_null())
    return over_models(known, [column], confidence=settings.confidence).select(
        pl.col(column).alias(name),
        pl.col("mean_pp").alias(f"{role}_pp"),
        pl.col("se_pp").alias(f"{role}_se_pp"),
        pl.col("low_pp").alias(f"{role}_low_pp"),
        pl.col("high_pp").alias(f"{role}_high_pp"),
        pl.col("n").alias(f"n_{role}_cells"),
        pl.col("n_models").alias(f"{role}_n_models"),
    )


def _of_languages(arm: ArmData) -> tuple[pl.DataFrame]:
    return (with_role_errors(roles_language(arm.cells, arm.settings), arm.differences, "language"),)


def _of_tasks(arm: ArmData) -> tuple[pl.DataFrame]:
    return (with_role_errors(roles_task(arm.cells, arm.settings), arm.differences, "task"),)


TABLES = (
    TableMaker({"roles_language": ROLES_LANGUAGE}, _of_languages, headline=True),
    TableMaker({"roles_task": ROLES_TASK}, _of_tasks, headline=True),
    TableMaker({"roles_family": ROLES_FAMILY}, lambda arm: (roles_family(arm.cells, arm.settings),), headline=True),
)
