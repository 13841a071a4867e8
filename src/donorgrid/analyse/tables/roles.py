"""Donor and recipient scores of languages (within MT-CL), tasks (within CT-ML) and language families."""

import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models

LANGUAGE_REGIME = "MT-CL"
TASK_REGIME = "CT-ML"


def roles_language(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_LANGUAGE rows of one arm (arXiv 2511.13368)."""
    rows = cells.filter(pl.col("regime") == LANGUAGE_REGIME)
    return _roles(rows, "source_language", "target_language", "language", settings)


def roles_task(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_TASK rows of one arm."""
    rows = cells.filter(pl.col("regime") == TASK_REGIME)
    return _roles(rows, "source_task", "target_task", "task", settings)


def roles_family(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """ROLES_FAMILY rows of one arm: a family's donor score averages the MT-CL cells of all its languages per model."""
    rows = cells.filter(pl.col("regime") == LANGUAGE_REGIME)
    languages = sorted({*rows["source_language"].to_list(), *rows["target_language"].to_list()})
    families = {language: settings.language_family(language) for language in languages}
    named = rows.with_columns(
        source_family=pl.col("source_language").replace_strict(families, return_dtype=pl.String),
        target_family=pl.col("target_language").replace_strict(families, return_dtype=pl.String),
    )
    table = _roles(named, "source_family", "target_family", "language_family", settings)
    sizes = {family: sum(one == family for one in families.values()) for family in table["language_family"]}
    counted = pl.col("language_family").replace_strict(sizes, return_dtype=pl.Int64, default=0)
    return table.with_columns(n_languages=counted)


def _roles(rows: pl.DataFrame, source: str, target: str, name: str, settings: AnalysisSettings) -> pl.DataFrame:
    donors = _one_role(rows, source, name, "donor", settings)
    recipients = _one_role(rows, target, name, "recipient", settings)
    both = donors.join(recipients, on=name, how="full", coalesce=True)
    n_models = pl.max_horizontal("donor_n_models", "recipient_n_models")
    return both.with_columns(n_models=n_models).drop("donor_n_models", "recipient_n_models").sort(name)


def _one_role(rows: pl.DataFrame, column: str, name: str, role: str, settings: AnalysisSettings) -> pl.DataFrame:
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
