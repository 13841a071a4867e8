"""Arms: one recipe at one train size, checkpoint and strength. Tables that hold several arms are shown arm by arm."""

import polars as pl

from donorgrid.core.records import point_in_words
from donorgrid.core.tables.declaring import ARM as ARM_COLUMNS

ARM = tuple(ARM_COLUMNS)
TRANSFER = "transfer"
"""The row of the regimes' table that pools the three transfer regimes."""


def by_arm(frame: pl.DataFrame) -> tuple[tuple[str, pl.DataFrame], ...]:
    """Splits a table into its arms.

    Parameters
    ----------
    frame
        Any table of the analysis; the columns of ``ARM`` may be absent.

    Returns
    -------
    tuple of (label, rows)
        In the order of the table, without the arm's columns. A single arm has an empty label.
    """
    columns = [name for name in ARM if name in frame.columns]
    if not columns:
        return (("", frame),)
    several = frame.select(columns).n_unique() > 1
    arms = frame.partition_by(columns, maintain_order=True, include_key=True)
    return tuple((arm_label(rows) if several else "", rows.drop(columns)) for rows in arms)


def arm_label(rows: pl.DataFrame) -> str:
    """``recipe``, or ``recipe, train size 100, after 1 epoch, at strength 0.5``, for rows of one arm."""
    parts = [str(rows["recipe"][0])] if "recipe" in rows.columns else []
    if "train_size" in rows.columns and rows["train_size"][0] is not None:
        parts.append(f"train size {rows['train_size'][0]}")
    point = (rows[name][0] if name in rows.columns else None for name in ("checkpoint", "strength"))
    return ", ".join(part for part in (*parts, point_in_words(*point)) if part)
