"""Elicitation or transfer? Specific transfer: what a source gives beyond what a control gives the same target."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_errors import with_item_errors
from donorgrid.analyse.errors.item_sums import cell_regimes
from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.analyse.tables.roles import roles_language, roles_task
from donorgrid.core.regimes import TRAINED_CELL
from donorgrid.core.tables import SPECIFIC_REGIMES, SPECIFIC_ROLES
from donorgrid.statistics.harm import harmed, positive

OTHER_SOURCES = "other sources"
_TARGET = ["model", "target_task", "target_language"]
_SOURCE = ["source_task", "source_language"]


def specific_cells(cells: pl.DataFrame, others: pl.DataFrame, settings: AnalysisSettings) -> dict[str, pl.DataFrame]:
    """Control -> the cells with ``delta_pp`` less what the control gives the same model and target.

    "other sources": the mean over the other sources of that target, the cell's own one left out. A kind of control
    source: the control of the same source cell where there is one, else the mean of that kind. Cells without a control
    have no specific transfer.
    """
    found = {OTHER_SOURCES: _against_others(cells)}
    kind = pl.col("control") if "control" in others.columns else pl.lit(None, dtype=pl.String)
    controls = others.filter(pl.col("source_kind") == "control").with_columns(
        control=pl.coalesce(kind, pl.col("source_name").str.split(":").list.first())
    )
    for (name,), part in controls.group_by("control", maintain_order=True):
        found[str(name)] = _against_controls(cells, part)
    return {name: _judged(frame, settings) for name, frame in found.items() if frame.height}


def _against_others(cells: pl.DataFrame) -> pl.DataFrame:
    """Delta less the mean of the other sources; the trained cell's own delta is nobody's control."""
    transfer = pl.col("regime") != TRAINED_CELL
    total = pl.col("delta_pp").filter(transfer).sum().over(_TARGET)
    count = transfer.sum().over(_TARGET)
    own = pl.when(transfer).then(1).otherwise(0)
    rest = pl.when(count - own > 0).then((total - own * pl.col("delta_pp")) / (count - own))
    return cells.with_columns(control_pp=rest).filter(pl.col("control_pp").is_not_null())


def _against_controls(cells: pl.DataFrame, controls: pl.DataFrame) -> pl.DataFrame:
    matched = controls.group_by([*_TARGET, *_SOURCE]).agg(matched_pp=pl.col("delta_pp").mean())
    of_kind = controls.group_by(_TARGET).agg(kind_pp=pl.col("delta_pp").mean())
    both = cells.join(matched, on=[*_TARGET, *_SOURCE], how="left", maintain_order="left").join(
        of_kind, on=_TARGET, how="left", maintain_order="left"
    )
    return both.with_columns(control_pp=pl.coalesce("matched_pp", "kind_pp")).filter(pl.col("control_pp").is_not_null())


def _judged(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    specific = (cells["delta_pp"] - cells["control_pp"]).to_numpy()
    return cells.with_columns(
        delta_pp=pl.Series(specific),
        harmed=pl.Series(harmed(specific, settings.harm_limit_pp)),
        positive=pl.Series(positive(specific)),
    )


def specific_tables(
    found: Mapping[str, pl.DataFrame], own: Sequence[ArmDifferences], settings: AnalysisSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(SPECIFIC_REGIMES, SPECIFIC_ROLES) rows of one arm; item errors where the control is the other sources."""
    regimes, roles = [], []
    against_others = [against_other_sources(made) for made in own]
    for name, frame in found.items():
        made = {
            "regimes": regimes_table(frame, settings),
            "roles_language": roles_language(frame, settings),
            "roles_task": roles_task(frame, settings),
        }
        tables = with_item_errors(made, against_others if name == OTHER_SOURCES else ())
        regimes.append(tables["regimes"].with_columns(control=pl.lit(name)))
        for kind in ("language", "task"):
            named = tables[f"roles_{kind}"].rename({kind: "name"})
            roles.append(named.with_columns(control=pl.lit(name), kind=pl.lit(kind)))
    return (
        pl.concat(regimes) if regimes else pl.DataFrame(schema=SPECIFIC_REGIMES.schema_without_arm()),
        pl.concat(roles) if roles else pl.DataFrame(schema=SPECIFIC_ROLES.schema_without_arm()),
    )


def against_other_sources(made: ArmDifferences) -> ArmDifferences:
    """Differences less the other sources' mean, item by item: their means over items are the specific transfer.

    A cell's share of an item is its difference over the cell's answers; the trained cell is nobody's control.
    """
    lengths = np.diff(np.append(made.starts, made.summed.shape[1]))
    answers = np.repeat(np.maximum(made.n_answered, 1.0), lengths, axis=1)
    control = (cell_regimes(made) != TRAINED_CELL) & (made.n_answered > 0)
    of_control = np.repeat(control, lengths, axis=1)
    shares = made.summed / answers
    total = np.where(of_control, shares, 0.0).sum(axis=0)
    n_others = np.repeat(control.sum(axis=0) - control, lengths, axis=1)
    others = (total - np.where(of_control, shares, 0.0)) / np.maximum(n_others, 1)
    answered = np.where(n_others > 0, made.answered, np.int16(0))
    return replace(made, summed=(shares - others) * answers * (answered > 0), answered=answered)
