"""Elicitation or transfer? Specific transfer: what a source gives beyond what a control gives the same target."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_errors import with_regime_errors, with_role_errors
from donorgrid.analyse.reading.cell_sets import cell_regimes
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.analyse.tables.roles import roles_language, roles_task
from donorgrid.core.regimes import TRAINED_CELL
from donorgrid.core.tables import SPECIFIC_REGIMES, SPECIFIC_ROLES
from donorgrid.statistics.harm import harmed, positive

OTHER_SOURCES = "other sources"
_TARGET = ["model", "target_task", "target_language"]
_SOURCE = ["source_task", "source_language"]


def specific_cells(cells: pl.DataFrame, others: pl.DataFrame, settings: AnalysisSettings) -> dict[str, pl.DataFrame]:
    """The cells less what a control gives the same model and target.

    "other sources" is the mean over the other sources of that target, the cell's source left out. A kind of control
    source gives its control of the same source cell where there is one, else the mean of that kind.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    others : DataFrame
        Judged rows of mixes and controls.
    settings : AnalysisSettings
        ``harm_limit_pp``.

    Returns
    -------
    dict of str to DataFrame
        Control -> the cells that have it, with ``delta_pp``, ``harmed`` and ``positive`` of the specific transfer.
    """
    frames = {OTHER_SOURCES: _against_others(cells)}
    kind = pl.col("control") if "control" in others.columns else pl.lit(None, dtype=pl.String)
    controls = others.filter(pl.col("source_kind") == "control").with_columns(
        control=pl.coalesce(kind, pl.col("source_name").str.split(":").list.first())
    )
    for (name,), part in controls.group_by("control", maintain_order=True):
        frames[str(name)] = _against_controls(cells, part)
    return {name: _judged(frame, settings) for name, frame in frames.items() if frame.height}


def _against_others(cells: pl.DataFrame) -> pl.DataFrame:
    """With the mean of the other sources; the trained cell's delta is no control."""
    transfer = pl.col("regime") != TRAINED_CELL
    total = pl.col("delta_pp").filter(transfer).sum().over(_TARGET)
    count = transfer.sum().over(_TARGET)
    itself = pl.when(transfer).then(1).otherwise(0)
    rest = pl.when(count - itself > 0).then((total - itself * pl.col("delta_pp")) / (count - itself))
    return cells.with_columns(control_pp=rest).filter(pl.col("control_pp").is_not_null())


def _against_controls(cells: pl.DataFrame, controls: pl.DataFrame) -> pl.DataFrame:
    matched = controls.group_by([*_TARGET, *_SOURCE]).agg(matched_pp=pl.col("delta_pp").mean())
    of_kind = controls.group_by(_TARGET).agg(kind_pp=pl.col("delta_pp").mean())
    joined = cells.join(matched, on=[*_TARGET, *_SOURCE], how="left", maintain_order="left").join(
        of_kind, on=_TARGET, how="left", maintain_order="left"
    )
    known = joined.with_columns(control_pp=pl.coalesce("matched_pp", "kind_pp"))
    return known.filter(pl.col("control_pp").is_not_null())


def _judged(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    specific = (cells["delta_pp"] - cells["control_pp"]).to_numpy()
    return cells.with_columns(
        delta_pp=pl.Series(specific),
        harmed=pl.Series(harmed(specific, settings.harm_limit_pp)),
        positive=pl.Series(positive(specific)),
    )


def specific_tables(
    specific: Mapping[str, pl.DataFrame], differences: Sequence[ArmDifferences], settings: AnalysisSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The regimes and the roles by specific transfer.

    Parameters
    ----------
    specific : mapping of str to DataFrame
        As ``specific_cells`` returns them.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``confidence`` and ``harm_limit_pp``.

    Returns
    -------
    regimes, roles : DataFrame
        SPECIFIC_REGIMES and SPECIFIC_ROLES rows of one arm; with item errors where the control is the other sources.
    """
    regimes, roles = [], []
    less_others = [against_other_sources(paired) for paired in differences]
    for control, frame in specific.items():
        known = less_others if control == OTHER_SOURCES else []
        regimes.append(with_regime_errors(regimes_table(frame, settings), known).with_columns(control=pl.lit(control)))
        for axis, table in (("language", roles_language(frame, settings)), ("task", roles_task(frame, settings))):
            named = with_role_errors(table, known, axis).rename({axis: "name"})
            roles.append(named.with_columns(control=pl.lit(control), kind=pl.lit(axis)))
    return (
        pl.concat(regimes) if regimes else pl.DataFrame(schema=SPECIFIC_REGIMES.schema_without_arm()),
        pl.concat(roles) if roles else pl.DataFrame(schema=SPECIFIC_ROLES.schema_without_arm()),
    )


def against_other_sources(paired: ArmDifferences) -> ArmDifferences:
    """Differences less the other sources' mean, item by item: their means over items are the specific transfer.

    A cell's share of an item is its difference over the cell's answers; the trained cell is no control.
    """
    target = paired.target_of_item
    answers = np.maximum(paired.n_answered, 1.0)[:, target]
    control = (cell_regimes(paired) != TRAINED_CELL) & (paired.n_answered > 0)
    shares = paired.summed / answers
    of_controls = np.where(control[:, target], shares, 0.0)
    n_others = (control.sum(axis=0) - control)[:, target]
    others = (of_controls.sum(axis=0) - of_controls) / np.maximum(n_others, 1)
    answered = np.where(n_others > 0, paired.answered, np.int16(0))
    return replace(paired, summed=(shares - others) * answers * (answered > 0), answered=answered)


TABLES = (
    TableMaker(
        {"specific_regimes": SPECIFIC_REGIMES, "specific_roles": SPECIFIC_ROLES},
        lambda arm: specific_tables(arm.specific, arm.differences, arm.settings),
    ),
)
