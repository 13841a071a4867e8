"""How much of the harm is noise: per cell, per regime, and per adapter (docs/statistics.md)."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.drawn_rates import with_rate_intervals
from donorgrid.analyse.errors.posteriors import with_posteriors
from donorgrid.analyse.errors.resampling import Resampled
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import KEY, max_t_table
from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.analyse.tables.regimes import ORDER, with_transfer
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER
from donorgrid.core.tables import CELLS, NOISE, VERDICTS
from donorgrid.statistics.errors.shared_noise import SharedNoise
from donorgrid.statistics.multiplicity import false_discovery_adjusted
from donorgrid.statistics.no_effect import harm_without_effect, no_effect_p_values
from donorgrid.statistics.paired import joint_verdict

DISCOVERY_RATE = 0.05
_FURTHER = ("prior_sd_pp", "qy_value_decrease", "qy_value_increase")
"""Columns beside those of CELLS that ``noise_table`` needs."""
GUARDED = {
    "all others": ("MT-CL", "CT-ML", "CT-CL"),
    "same task": ("MT-CL",),
    "other tasks": ("CT-ML", "CT-CL"),
}
"""Set of targets -> the regimes that it holds."""


def cells_with_noise(
    cells: pl.DataFrame,
    differences: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    by_seed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every cell with its noise, tests and posterior.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        What a user can choose.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows.

    Returns
    -------
    DataFrame
        CELLS rows of one arm, with prior_sd_pp, qy_value_decrease and qy_value_increase.
    """
    uncertain = with_uncertainty(cells, settings, by_seed=by_seed)
    return cells_table(uncertain, max_t_table(differences, settings), settings, shared=shared_noise(differences))


def cells_table(
    cells: pl.DataFrame,
    sign_flips: pl.DataFrame,
    settings: AnalysisSettings,
    *,
    shared: Mapping[str, SharedNoise] | None = None,
) -> pl.DataFrame:
    """As ``cells_with_noise``, from cells whose noise is known.

    Parameters
    ----------
    cells : DataFrame
        As ``with_uncertainty`` returns them.
    sign_flips : DataFrame
        As ``max_t_table`` returns it.
    settings : AnalysisSettings
        ``harm_limit_pp`` and ``confidence``.
    shared : mapping of str to SharedNoise, optional
        Regime -> the noise that its cells share.

    Returns
    -------
    DataFrame
    """
    shrunken = with_posteriors(_with_tests(cells, settings), shared or {}, settings)
    joined = shrunken.join(sign_flips, on=KEY, how="left", maintain_order="left")
    known = [name for name in CELLS.schema_without_arm() if name in joined.columns]
    return joined.select(*known, *_FURTHER)


def _with_tests(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """P-values of no effect, adjusted over the transfer cells alone, and the harm expected without effect."""
    delta, null_se = cells["delta_pp"].to_numpy(), cells["null_se_pp"].fill_null(np.nan).to_numpy()
    half = np.nan_to_num(cells["half_step_pp"].fill_null(np.nan).to_numpy(), nan=0.0)
    transfer = (cells["regime"] != TRAINED_CELL).to_numpy()
    p_value_decrease, p_value_increase = no_effect_p_values(delta, null_se)
    columns = {"p_value_decrease": p_value_decrease, "p_value_increase": p_value_increase}
    columns["no_effect_harm_rate"] = harm_without_effect(null_se, half, settings.harm_limit_pp)
    for change in ("decrease", "increase"):
        p_values = np.where(transfer, columns[f"p_value_{change}"], np.nan)
        columns[f"q_value_{change}"] = false_discovery_adjusted(p_values)
        columns[f"qy_value_{change}"] = false_discovery_adjusted(p_values, any_dependence=True)
    return cells.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())


def noise_table(
    cells: pl.DataFrame, settings: AnalysisSettings, *, resampled: Sequence[Resampled] = ()
) -> pl.DataFrame:
    """NOISE rows of one arm: per regime and for ``transfer``.

    Parameters
    ----------
    cells : DataFrame
        As ``cells_with_noise`` returns them.
    settings : AnalysisSettings
        ``harm_limit_pp``.
    resampled : sequence of Resampled
        One per model that has item answers: the harm rate gets an interval.

    Returns
    -------
    DataFrame
    """
    rows = with_transfer(cells)
    surviving = {
        "bh_harmed": _survives("q_value_decrease") & _where("q_value_decrease", pl.col("harmed")),
        "bh_helped": _survives("q_value_increase"),
        "by_harmed": _survives("qy_value_decrease") & _where("qy_value_decrease", pl.col("harmed")),
        "by_helped": _survives("qy_value_increase"),
        "max_t_harmed": _survives("max_t_p_value_decrease") & _where("max_t_p_value_decrease", pl.col("harmed")),
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
        "expected_harm_rate_no_effect": "no_effect_harm_rate",
        "eb_harm_rate": "eb_harm_probability",
        "mean_noise_se_pp": "noise_se_pp",
    }
    for name, column in averages.items():
        mean = means(rows.filter(pl.col(column).is_not_null()), ["regime"], value=column)
        shares = shares.join(mean.select("regime", pl.col("mean_pp").alias(name)), on="regime", how="left")
    ordered = shares.sort(pl.col("regime").replace_strict(ORDER, return_dtype=pl.Int64))
    several = pl.when(pl.col("regime") != TRANSFER).then(pl.col("prior_sd_pp"))
    table = ordered.with_columns(prior_sd_pp=several, harm_limit_pp=pl.lit(float(settings.harm_limit_pp)))
    named = rows.with_columns(source_name=pl.concat_str("source_task", "source_language", separator="/"))
    return with_rate_intervals(table, ["regime"], cells=named, resampled=resampled, settings=settings)


def _survives(adjusted: str) -> pl.Expr:
    return pl.col(adjusted) <= DISCOVERY_RATE


def _where(adjusted: str, flag: pl.Expr) -> pl.Expr:
    """The flag where the adjusted p-value is known, else null: a regime that was not tested has no share."""
    return pl.when(pl.col(adjusted).is_not_null()).then(flag)


def verdicts_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """VERDICTS rows of one arm: the joint verdict on the sound targets of each (model, source).

    Parameters
    ----------
    cells : DataFrame
        CELLS rows; those without a verdict take no part.
    settings : AnalysisSettings
        ``harm_limit_pp``.

    Returns
    -------
    DataFrame
    """
    rows: list[dict[str, object]] = []
    known = cells.filter(pl.col("verdict").is_not_null())
    for guarded, regimes in GUARDED.items():
        part = known.filter(pl.col("regime").is_in(regimes))
        for (model, task, language), targets in part.group_by(
            "model", "source_task", "source_language", maintain_order=True
        ):
            sound = targets.filter(~_degenerate(targets))
            verdict = sound["verdict"].to_numpy()
            undecided = sound.filter(pl.col("verdict") == "undecided")
            rows.append(
                {
                    "model": model,
                    "source_task": task,
                    "source_language": language,
                    "guarded": guarded,
                    "verdict": joint_verdict(verdict) if sound.height else "undecided",
                    "n_cells": sound.height,
                    **{f"n_{name}": int((verdict == name).sum()) for name in ("safe", "harmed", "undecided")},
                    "n_degenerate": targets.height - sound.height,
                    "worst_low_pp": sound["low_pp"].min(),
                    "items_to_decide": undecided["items_to_decide"].max(),
                    "harm_limit_pp": float(settings.harm_limit_pp),
                }
            )
    return pl.DataFrame(rows, schema=VERDICTS.schema_without_arm())


def _degenerate(cells: pl.DataFrame) -> pl.Expr:
    return pl.col("degenerate") if "degenerate" in cells.columns else pl.lit(False)


TABLES = (
    TableMaker(
        {"noise": NOISE}, lambda arm: (noise_table(arm.measured, arm.settings, resampled=arm.resampled),), headline=True
    ),
    TableMaker({"verdicts": VERDICTS}, lambda arm: (verdicts_table(arm.measured, arm.settings),)),
    TableMaker({"cells": CELLS}, lambda arm: (arm.measured.drop(_FURTHER),)),
)
