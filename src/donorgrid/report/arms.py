"""Tables that stack several arms (a recipe at a train size and checkpoint) are shown arm by arm."""

import polars as pl

from donorgrid.core.records import after

ARM = ("recipe", "train_size", "checkpoint")


def by_arm(frame: pl.DataFrame) -> tuple[tuple[str, pl.DataFrame], ...]:
    """(label, rows) per arm, without the arm's columns. A single arm has an empty label."""
    columns = [name for name in ARM if name in frame.columns]
    if not columns:
        return (("", frame),)
    several = frame.select(columns).n_unique() > 1
    parts = frame.partition_by(columns, maintain_order=True, include_key=True)
    return tuple((arm_label(part) if several else "", part.drop(columns)) for part in parts)


def arm_label(rows: pl.DataFrame) -> str:
    """``recipe``, or ``recipe, train size 100, after 1 epoch``, of rows that belong to one arm."""
    parts = [str(rows[name][0]) for name in ARM[:1] if name in rows.columns]
    if "train_size" in rows.columns and rows["train_size"][0] is not None:
        parts.append(f"train size {rows['train_size'][0]}")
    if "checkpoint" in rows.columns and rows["checkpoint"][0] is not None:
        parts.append(after(rows["checkpoint"][0]))
    return ", ".join(parts)
