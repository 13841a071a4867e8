"""The tables behind the figures: any table as text, with readable column headings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.formatting import is_absent, shown

HEADINGS = {
    "n": "n",
    "mean_pp": "mean delta (pp)",
    "se_pp": "SE (pp)",
    "median_pp": "median (pp)",
    "positive_rate": "positive-transfer rate",
    "harm_rate": "harm rate",
    "donor_pp": "as donor (pp)",
    "donor_se_pp": "SE (pp)",
    "recipient_pp": "as recipient (pp)",
    "recipient_se_pp": "SE (pp)",
    "n_models": "models",
    "mean_se_pp": "SE (pp)",
    "mean_low_pp": "interval, low (pp)",
    "mean_high_pp": "interval, high (pp)",
    "n_harmed": "cells harmed",
    "donor_low_pp": "interval, low (pp)",
    "donor_high_pp": "interval, high (pp)",
    "recipient_low_pp": "interval, low (pp)",
    "recipient_high_pp": "interval, high (pp)",
    "n_donor_cells": "cells as source",
    "n_recipient_cells": "cells as target",
    "source_name": "source",
    "source_kind": "kind",
    "on_task_pp": "own task, other languages (pp)",
    "off_task_pp": "other tasks (pp)",
    "off_task_harm_rate": "harm rate on other tasks",
    "front": "on the front",
    "dimension": "missing from",
    "n_expected": "cells in the full grid",
    "n_found": "measured",
    "n_missing": "missing",
    "n_languages": "languages",
    "same": "same",
    "expected_harm_rate_no_effect": "harm rate expected from noise alone",
    "eb_harm_rate": "harm rate, empirical Bayes",
    "bh_harmed": "harmed after Benjamini–Hochberg",
    "bh_helped": "helped after Benjamini–Hochberg",
    "by_harmed": "harmed after Benjamini–Yekutieli",
    "by_helped": "helped after Benjamini–Yekutieli",
    "max_t_harmed": "harmed, family-wise (max-T)",
    "safe_rate": "verdict: safe",
    "verdict_harmed_rate": "verdict: harmed",
    "undecided_rate": "verdict: undecided",
    "mean_noise_se_pp": "SE over items (pp)",
    "donor_noise_se_pp": "SE over items (pp)",
    "recipient_noise_se_pp": "SE over items (pp)",
    "noise_se_pp": "SE over items (pp)",
    "prior_sd_pp": "SD of true deltas (pp)",
    "best_share": "best in random halves",
    "apparent_pp": "on all data (pp)",
    "honest_pp": "on the held-out half (pp)",
    "optimism_pp": "optimism (pp)",
    "half_agreement": "agreement of the halves (τ-b)",
    "n_candidates": "candidates",
    "n_splits": "random halves",
    "n_degenerate": "cells with a degenerate target",
    "low_pp": "interval, low (pp)",
    "high_pp": "interval, high (pp)",
    "q1": "first quartile",
    "q3": "third quartile",
    "n_sources": "sources",
    "train_seed": "train seed",
}


@dataclass(frozen=True, kw_only=True)
class PlainTable:
    """A table as text.

    Attributes
    ----------
    caption, headings
        The table's title, and a heading per column.
    numeric
        Whether each column is aligned as numbers.
    rows
        The cells' texts; the first of each row is its heading.
    """

    caption: str
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def plain_table(frame: pl.DataFrame, caption: str, names: Mapping[str, str] | None = None) -> PlainTable:
    """Every row of a table as text, with every column that holds a value.

    Parameters
    ----------
    frame
        Its column names say the units. The harm limit is left out: the page states it elsewhere.
    caption
        The table's title.
    names
        Longer names for codes in text columns, such as language codes.

    Returns
    -------
    PlainTable
        In the order of ``frame``. A rate that has an interval is in one column with it: ``12.5% (2.4% to 45.4%)``.
    """
    longer = names or {}
    frame = frame.select(
        column for column in frame if column.name != "harm_limit_pp" and column.null_count() < frame.height
    )
    ends = {end for name in frame.columns for end in (f"{name}_low", f"{name}_high")}
    columns = [name for name in frame.columns if name not in ends]
    return PlainTable(
        caption=caption,
        headings=tuple(HEADINGS.get(name, name.replace("_", " ")) for name in columns),
        numeric=tuple(frame.schema[name].is_numeric() for name in columns),
        rows=tuple(tuple(_text(row, name, longer) for name in columns) for row in frame.iter_rows(named=True)),
    )


def _text(row: Mapping[str, Any], name: str, longer: Mapping[str, str]) -> str:
    value = row[name]
    if isinstance(value, str):
        return longer.get(value, value)
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    if is_absent(low) or is_absent(high):
        return shown(name, value)
    return f"{shown(name, value)} ({shown(name, low)} to {shown(name, high)})"
