"""Pairs of a source and a target whose training texts occur among the test items: gains there may be memory."""

from collections.abc import Sequence

import polars as pl

from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.records import SharedItems
from donorgrid.core.tables import SHARED_TEXTS

_PAIR = ["source_task", "source_language", "target_task", "target_language"]
Pairs = frozenset[tuple[str, str]]
"""Names (``task/language``) of a source and a target."""


def shared_pairs(shared: Sequence[SharedItems]) -> Pairs:
    """The names of the pairs."""
    return frozenset((str(pair.source), str(pair.target)) for pair in shared)


def shared_texts_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """SHARED_TEXTS rows of one arm.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    settings : AnalysisSettings
        ``shared_items``.

    Returns
    -------
    DataFrame
        The pairs that were measured; no row where nothing is shared, or where training texts are not known.
    """
    rows = [
        {
            "source_task": pair.source.task,
            "source_language": pair.source.language,
            "target_task": pair.target.task,
            "target_language": pair.target.language,
            "n_shared": pair.n_shared,
            "n_items": pair.n_items,
            "parallel": pair.parallel,
            "example": pair.example,
        }
        for pair in settings.shared_items
    ]
    schema = SHARED_TEXTS.schema_without_arm()
    measured = means(cells, [*_PAIR, "regime"]).select(*_PAIR, "regime", mean_delta_pp="mean_pp")
    known = pl.DataFrame(rows, schema={name: schema[name] for name in schema if name not in measured.columns[-2:]})
    return known.join(measured, on=_PAIR, how="inner", maintain_order="left").select(*schema)


def without_shared(cells: pl.DataFrame, shared: Pairs) -> pl.DataFrame:
    """The cells whose source trains on no item of the target.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    shared : frozenset of (str, str)
        Names of a source and a target.

    Returns
    -------
    DataFrame
    """
    pairs = pl.DataFrame(sorted(shared), schema={"source_name": pl.String, "target_name": pl.String}, orient="row")
    named = cells.with_columns(target_name=pl.concat_str("target_task", "target_language", separator="/"))
    return named.join(pairs, on=["source_name", "target_name"], how="anti", maintain_order="left").drop("target_name")


TABLES = (TableMaker({"shared_texts": SHARED_TEXTS}, lambda arm: (shared_texts_table(arm.cells, arm.settings),)),)
