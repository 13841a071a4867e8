"""What could be trained, and what each statement would rest on."""

from collections.abc import Mapping, Sequence

import polars as pl

from donorgrid.advise.options import Comparator, Evidence, Option, trained_share
from donorgrid.advise.wishes import Wish
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

SAME_TASK: Comparator = "same task, all languages"
EVERYTHING: Comparator = "everything mixed"
_WANTED_SHARE = 0.5
"""A source is the wanted cell itself if it is at least so much of what is wanted."""


def candidate_sources(
    *, measured: Mapping[str, SourceParts], planned: Mapping[str, SourceParts], known: Sequence[Cell]
) -> dict[str, SourceParts]:
    """Every source that could be trained, by name.

    Parameters
    ----------
    measured, planned : mapping of str to SourceParts
        Sources of this model that were measured, and those of its study.
    known : sequence of Cell
        Sources of the knowledge models: training data for them exist.

    Returns
    -------
    dict of str to SourceParts
        Measured ones first.
    """
    return {**measured, **planned, **{str(cell): {cell: 1.0} for cell in known}}


def with_comparators(
    sources: Mapping[str, SourceParts], wanted: Mapping[Cell, float]
) -> dict[str, tuple[SourceParts, Comparator]]:
    """The fixed comparators that can be predicted: the wanted cells themselves, their task, and everything.

    Parameters
    ----------
    sources : mapping of str to SourceParts
        What could be trained.
    wanted : mapping of Cell to float
        The wanted targets.

    Returns
    -------
    dict of str to (SourceParts, Comparator)
        By name; a comparator without training data is left out.
    """
    cells = sorted({cell for parts in sources.values() for cell in parts})
    tasks = {cell.task for cell in wanted}
    wanted_cells = [cell for cell in cells if cell in wanted]
    same_task = [cell for cell in cells if cell.task in tasks]
    comparators: dict[str, tuple[SourceParts, Comparator]] = {}
    if 1 < len(wanted_cells) < len(cells):
        comparators["the wanted cells mixed"] = (_even(wanted_cells), "own cell")
    if len(same_task) > 1 and (len(tasks) == 1 or len(same_task) < len(cells)):
        comparators[SAME_TASK] = (_even(same_task), SAME_TASK)
    if len(cells) > 1:
        comparators[EVERYTHING] = (_even(cells), EVERYTHING)
    return comparators


def make_options(
    sources: Mapping[str, tuple[SourceParts, Comparator | None]],
    cells: pl.DataFrame | None,
    *,
    recipe: str,
    wish: Wish,
    n_models: int,
) -> list[Option]:
    """One option for each source, with what a statement on it rests on.

    Parameters
    ----------
    sources : mapping of str to (SourceParts, Comparator or None)
        What could be trained.
    cells : DataFrame or None
        The measured cells of the arm.
    recipe : str
        The arm's name.
    wish : Wish
        Wanted targets and guards.
    n_models : int
        Knowledge models.

    Returns
    -------
    list of Option
        In the order of ``sources``.
    """
    n_adapters = 0 if cells is None else cells.filter(pl.col("source_kind") != "control")["source_name"].n_unique()
    options = []
    for name, (parts, comparator) in sources.items():
        is_wanted = len(parts) == 1 and trained_share(parts, wish.wanted) >= _WANTED_SHARE
        options.append(
            Option(
                name=name,
                cells=parts,
                recipe=recipe,
                evidence=_evidence(name, cells, wish.targets, n_adapters=n_adapters, n_models=n_models),
                comparator="own cell" if comparator is None and is_wanted else comparator,
            )
        )
    return options


def _even(cells: Sequence[Cell]) -> SourceParts:
    return {cell: 1.0 / len(cells) for cell in cells}


def _evidence(
    name: str, cells: pl.DataFrame | None, targets: Sequence[Cell], *, n_adapters: int, n_models: int
) -> Evidence:
    rows = None if cells is None else cells.filter(pl.col("source_name") == name)
    if rows is not None and rows.height:
        answered = set(rows.select("target_task", "target_language").iter_rows())
        if {(cell.task, cell.language) for cell in targets} <= answered:
            return Evidence(
                rests_on="measured",
                n_items=_per_seed(rows),
                n_seeds=_least(rows, "n_seeds"),
                n_adapters=n_adapters,
                n_models=n_models,
                is_trained=True,
            )
    return Evidence(
        rests_on="predicted from this model's adapters" if n_adapters else "predicted from other models",
        n_adapters=n_adapters,
        n_models=n_models,
        is_trained=rows is not None and rows.height > 0,
    )


def _least(rows: pl.DataFrame, column: str) -> int | None:
    value = rows[column].min() if column in rows.columns else None
    return None if value is None else int(str(value))


def _per_seed(rows: pl.DataFrame) -> int | None:
    n_items, n_seeds = _least(rows, "n_items"), _least(rows, "n_seeds")
    return None if n_items is None else n_items // max(n_seeds or 1, 1)
