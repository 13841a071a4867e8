"""How much of the harm is noise: per cell and per regime (docs/statistics.md)."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr

from donorgrid.analyse.errors.posteriors import with_posteriors
from donorgrid.analyse.errors.shared_noise import SharedNoise
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import means
from donorgrid.analyse.tables.regimes import with_transfer
from donorgrid.core.regimes import REGIMES, TRAINED_CELL
from donorgrid.core.tables import CELLS, VERDICTS
from donorgrid.statistics.multiplicity import false_discovery_adjusted
from donorgrid.statistics.no_effect import harm_without_effect
from donorgrid.statistics.paired import joint_verdict

Reals = npt.NDArray[np.float64]
DISCOVERY_RATE = 0.05


def cells_table(
    cells: pl.DataFrame,
    flips: pl.DataFrame,
    settings: AnalysisSettings,
    *,
    shared: Mapping[str, SharedNoise] | None = None,
) -> pl.DataFrame:
    """CELLS rows of one arm. ``cells`` as ``with_uncertainty`` gives them, ``flips`` as ``max_t_table`` does.

    ``shared`` (``shared_noise``) is the part of the noise that cells have in common.
    """
    shrunken = with_posteriors(_with_tests(cells, settings), shared or {}, settings)
    key = ["model", "source_name", "target_task", "target_language"]
    joined = shrunken.join(flips, on=key, how="left", maintain_order="left")
    known = [name for name in CELLS.schema_without_arm() if name in joined.columns]
    return joined.select(*known, "prior_sd_pp", "qy_harm", "qy_help")


def _with_tests(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """One-sided p-values by the sign-flip scale, adjusted over the transfer cells; and harm expected without effect."""
    delta, null_se = cells["delta_pp"].to_numpy(), cells["null_se_pp"].fill_null(np.nan).to_numpy()
    half = np.nan_to_num(cells["half_step_pp"].fill_null(np.nan).to_numpy(), nan=0.0)
    z = np.where(null_se > 0, delta / np.where(null_se > 0, null_se, 1.0), np.where(np.isnan(null_se), np.nan, 0.0))
    transfer = (cells["regime"] != TRAINED_CELL).to_numpy()
    columns = {"p_harm": ndtr(z), "p_help": ndtr(-z)}
    columns["no_effect_harm_probability"] = harm_without_effect(null_se, half, settings.harm_limit_pp)
    for name in ("harm", "help"):
        p_values = np.where(transfer, columns[f"p_{name}"], np.nan)
        columns[f"q_{name}"] = false_discovery_adjusted(p_values)
        columns[f"qy_{name}"] = false_discovery_adjusted(p_values, any_dependence=True)
    return cells.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())


def noise_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """NOISE rows of one arm, from CELLS rows: per regime and for ``transfer``."""
    rows = with_transfer(cells)
    surviving = {
        "bh_harmed": _survives("q_harm") & _where("q_harm", pl.col("harmed")),
        "bh_helped": _survives("q_help"),
        "by_harmed": _survives("qy_harm") & _where("qy_harm", pl.col("harmed")),
        "by_helped": _survives("qy_help"),
        "max_t_harmed": _survives("max_t_harm") & _where("max_t_harm", pl.col("harmed")),
        "safe_rate": pl.col("verdict") == "safe",
        "verdict_harmed_rate": pl.col("verdict") == "harmed",
        "undecided_rate": pl.col("verdict") == "undecided",
    }
    shares = rows.group_by("regime", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n"),
        (pl.col("harmed").sum() / pl.len()).alias("harm_rate"),
        *((flag.sum() / pl.when(flag.count() > 0).then(flag.count())).alias(name) for name, flag in surviving.items()),
        pl.col("prior_sd_pp").drop_nulls().first(),
        pl.col("se_kind").first(),
    )
    averages = {
        "expected_harm_rate_no_effect": "no_effect_harm_probability",
        "eb_harm_rate": "eb_harm_probability",
        "mean_noise_se_pp": "noise_se_pp",
    }
    for name, column in averages.items():
        mean = means(rows.filter(pl.col(column).is_not_null()), ["regime"], value=column)
        shares = shares.join(mean.select("regime", pl.col("mean_pp").alias(name)), on="regime", how="left")
    order = {name: place for place, name in enumerate((*REGIMES, "transfer"))}
    sorted_rows = shares.sort(pl.col("regime").replace_strict(order, return_dtype=pl.Int64))
    several = pl.when(pl.col("regime") != "transfer").then(pl.col("prior_sd_pp"))
    return sorted_rows.with_columns(prior_sd_pp=several, harm_limit_pp=pl.lit(float(settings.harm_limit_pp)))


def _survives(adjusted: str) -> pl.Expr:
    return pl.col(adjusted) <= DISCOVERY_RATE


def _where(adjusted: str, flag: pl.Expr) -> pl.Expr:
    """The flag where the adjusted p-value is known, else null: a regime that was not tested has no share."""
    return pl.when(pl.col(adjusted).is_not_null()).then(flag)


GUARDED = {
    "all others": ("MT-CL", "CT-ML", "CT-CL"),
    "same task": ("MT-CL",),
    "other tasks": ("CT-ML", "CT-CL"),
}
"""Set of targets -> the regimes that it holds."""


def verdicts_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """VERDICTS rows of one arm, from CELLS rows that have verdicts."""
    rows: list[dict[str, object]] = []
    known = cells.filter(pl.col("verdict").is_not_null())
    for guarded, regimes in GUARDED.items():
        part = known.filter(pl.col("regime").is_in(regimes))
        for (model, task, language), own in part.group_by(
            "model", "source_task", "source_language", maintain_order=True
        ):
            verdict = own["verdict"].to_numpy()
            open_cells = own.filter(pl.col("verdict") == "undecided")["items_to_decide"]
            rows.append(
                {
                    "model": model,
                    "source_task": task,
                    "source_language": language,
                    "guarded": guarded,
                    "verdict": joint_verdict(verdict),
                    "n_cells": own.height,
                    **{f"n_{name}": int((verdict == name).sum()) for name in ("safe", "harmed", "undecided")},
                    "worst_low_pp": own["low_pp"].min(),
                    "items_to_decide": open_cells.max(),
                    "harm_limit_pp": float(settings.harm_limit_pp),
                }
            )
    return pl.DataFrame(rows, schema=VERDICTS.schema_without_arm())
