"""Training texts among test items: which sources train on items of which targets."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from donorgrid.report.formatting import count, signed_pp
from donorgrid.report.plain_tables import PlainTable
from donorgrid.report.sections.section import Section, Tables, filled, parts_of

_NOTE = (
    "A source may train on what a target tests: the same sentences under another task's wording, or the same items in "
    "another language, by their IDs. Gains there may be memory and not transfer. “Transfer by regime” has the numbers "
    "without these pairs. Each pair is named with an item, to look at."
)


def shared_texts_section(tables: Tables) -> Section | None:
    """The pairs of a source and a target that share texts; None if there are none."""
    frame = filled(tables, "shared_texts")
    if frame is None:
        return None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        return {"note": _NOTE, "plot": None, "table": _pairs(rows)}

    title = "Training texts among test items"
    return Section(id="shared-texts", title=title, kind="tabled", parts=parts_of(frame, draw))


def _pairs(rows: pl.DataFrame) -> PlainTable:
    return PlainTable(
        caption="Sources that train on items of a target",
        headings=("source", "target", "regime", "items shared", "of", "how", "such as", "mean delta (pp)"),
        numeric=(False, False, False, True, True, False, False, True),
        rows=tuple(
            (
                f"{row['source_task']}/{row['source_language']}",
                f"{row['target_task']}/{row['target_language']}",
                row["regime"],
                count(row["n_shared"]),
                count(row["n_items"]),
                "the same items, in another language" if row["parallel"] else "the same text",
                row["example"],
                signed_pp(row["mean_delta_pp"]),
            )
            for row in rows.sort("n_shared", descending=True, maintain_order=True).iter_rows(named=True)
        ),
    )
