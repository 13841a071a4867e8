"""The tables behind the figures: any table as text, with readable column headings."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from donorgrid.report.formatting import shown

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
    "share_low": "share, low",
    "share_high": "share, high",
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
        In the order of ``frame``.
    """
    longer = names or {}
    frame = frame.select(
        column for column in frame if column.name != "harm_limit_pp" and column.null_count() < frame.height
    )
    return PlainTable(
        caption=caption,
        headings=tuple(HEADINGS.get(name, name.replace("_", " ")) for name in frame.columns),
        numeric=tuple(kind.is_numeric() for kind in frame.dtypes),
        rows=tuple(
            tuple(
                longer.get(value, value) if isinstance(value, str) else shown(name, value)
                for name, value in zip(frame.columns, row, strict=True)
            )
            for row in frame.iter_rows()
        ),
    )
