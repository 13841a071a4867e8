"""The tables behind the figures: any frame as text, headed in plain words."""

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
    "n_harmed": "harmed",
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
    "dimension": "by",
    "n_expected": "in the full grid",
    "n_found": "found",
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
    "safe_rate": "safe",
    "verdict_harmed_rate": "harmed, by verdict",
    "undecided_rate": "undecided",
    "mean_noise_se_pp": "SE over items (pp)",
    "donor_noise_se_pp": "SE over items (pp)",
    "recipient_noise_se_pp": "SE over items (pp)",
    "noise_se_pp": "SE over items (pp)",
    "prior_sd_pp": "SD of true deltas (pp)",
    "best_share": "best in (share of halves)",
    "apparent_pp": "as it looks (pp)",
    "honest_pp": "on the other half (pp)",
    "optimism_pp": "flattery (pp)",
    "half_agreement": "agreement of halves (τ-b)",
    "n_candidates": "of",
    "n_splits": "halvings",
    "n_degenerate": "with degenerate target",
    "low_pp": "interval, low (pp)",
    "high_pp": "interval, high (pp)",
    "share_low": "share, low end",
    "share_high": "share, high end",
    "q1": "first quartile",
    "q3": "third quartile",
    "n_sources": "sources",
    "train_seed": "train seed",
}


@dataclass(frozen=True, kw_only=True)
class PlainTable:
    """A table as text. ``numeric`` says which columns are aligned as numbers; the first column heads its row."""

    caption: str
    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def plain_table(frame: pl.DataFrame, caption: str, names: Mapping[str, str] | None = None) -> PlainTable:
    """Every row, and every column that holds a value, in order; the harm limit is said elsewhere on the page.

    ``names`` gives longer names for codes in text columns.
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
