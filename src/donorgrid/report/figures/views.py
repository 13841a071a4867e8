"""The values behind the heat map, in the compact form that the page carries: one view per model and recipe.

Deltas and standard errors are whole hundredths of a point; arrays run over the cells, row by row. A missing cell has
the letter ``.`` and a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.core.records import UNTRAINED, after
from donorgrid.core.regimes import REGIMES, regime
from donorgrid.report.figures.lines import Line
from donorgrid.report.figures.palette import MISSING, letter_of
from donorgrid.report.formatting import hundredths, is_absent
from donorgrid.report.head import ReportHead

ALL_MODELS = "all models (mean)"
NOT_MEASURED = "not measured"
_DOSE = ("train_size", "data_seed", "checkpoint")

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The frame that all views share: sources × targets, and the delta (pp) at which the colours end."""

    sources: tuple[Line, ...]
    targets: tuple[Line, ...]
    limit_pp: float


@dataclass(frozen=True, kw_only=True)
class View:
    """One model and recipe. ``values`` holds the arrays by name, None where the table lacks them."""

    model: str
    variant: str
    letters: str
    deltas: tuple[int, ...]
    values: Mapping[str, tuple[int | None, ...] | None]
    reasons: Mapping[int, str]


def views_of(deltas: pl.DataFrame, grid: Grid, head: ReportHead) -> tuple[View, ...]:
    """A view per model and recipe, in the head's order; before them the mean over models where there are several.

    What is not trained (few-shot prompts) stands in every view.
    """
    trained = deltas.filter(pl.col("recipe") != UNTRAINED)
    shown = deltas.filter(pl.col("recipe") == UNTRAINED) if trained.height else deltas.clear()
    measured = trained if trained.height else deltas
    named = measured.with_columns(variant=_variant(measured))
    variants = sorted(named["variant"].unique().to_list())
    models = list(dict.fromkeys([*head.models, *named["model"].unique(maintain_order=True).to_list()]))
    found = []
    for variant in variants:
        own = named.filter(pl.col("variant") == variant)
        part = pl.concat([own, shown.with_columns(variant=pl.lit(variant))])
        if part["model"].n_unique() > 1:
            found.append(_mean_view(part, grid, variant))
        found += [_model_view(part.filter(pl.col("model") == model), grid, head, (model, variant)) for model in models]
    return tuple(found)


def regime_digits(grid: Grid) -> str:
    """One digit per cell: the regime's place in ``REGIMES``, ``-`` for sources that are no one cell."""
    return "".join(
        "-"
        if source.task is None
        else str(REGIMES.index(regime(source.task, source.language, target.task, target.language)))
        for source in grid.sources
        for target in grid.targets
    )


def error_column(deltas: pl.DataFrame) -> str:
    """The column of standard errors to show: from the items where the table has them, else over train seeds."""
    known = [name for name in ("se_pp", "se_seed_pp") if name in deltas.columns and deltas[name].is_not_null().any()]
    return known[0] if known else "se_pp"


def _right(rows: pl.DataFrame, head: ReportHead, suffix: str) -> pl.Expr:
    """The right answers by each row's metric; empty where the table has no such count."""
    nothing = pl.lit(None, dtype=pl.Int64)
    acc, norm = (
        pl.col(name) if name in rows.columns else nothing for name in (f"n_right{suffix}", f"n_right_norm{suffix}")
    )
    metric = pl.col("metric").fill_null(head.metric) if "metric" in rows.columns else pl.lit(head.metric)
    return pl.when(metric == "acc").then(acc).otherwise(norm)


def _variant(deltas: pl.DataFrame) -> pl.Expr:
    parts = [pl.col("recipe")]
    for name in _DOSE:
        if name in deltas.columns and deltas[name].n_unique() > 1:
            parts.append(_told(name))
    return pl.concat_str(parts)


def _told(dose: str) -> pl.Expr:
    if dose == "checkpoint":
        words = pl.col(dose).map_elements(lambda value: f", {after(value)}", return_dtype=pl.String)
        return words.fill_null("")
    told = pl.lit(f", {dose.replace('_', ' ')} ") + pl.col(dose).cast(pl.String)
    return told.fill_null(f", {dose.replace('_', ' ')} all")


def _by_cell(rows: pl.DataFrame, grid: Grid) -> list[Row | None]:
    known = {
        (row["source_name"], row["target_task"], row["target_language"]): row
        for row in rows.iter_rows(named=True)
        if not is_absent(row["delta_pp"])
    }
    return [
        known.get((source.name, target.task, target.language)) for source in grid.sources for target in grid.targets
    ]


def _model_view(rows: pl.DataFrame, grid: Grid, head: ReportHead, which: tuple[str, str]) -> View:
    model, variant = which
    cells = _by_cell(rows.with_columns(right=_right(rows, head, ""), right_base=_right(rows, head, "_base")), grid)
    width = len(grid.targets)
    return View(
        model=model,
        variant=variant,
        letters=_letters(cells, grid.limit_pp),
        deltas=_whole_deltas(cells),
        values={
            "se": _array(cells, error_column(rows), hundredths),
            "seeds": _shorter(_array(cells, "n_seeds"), width),
            "items": _shorter(_array(cells, "n_items"), width),
            "right": _array(cells, "right"),
            "base": _shorter(_array(cells, "right_base"), width),
        },
        reasons=_reasons(cells, grid, head, which),
    )


def _mean_view(rows: pl.DataFrame, grid: Grid, variant: str) -> View:
    value = pl.col("delta_pp")
    key = ("source_name", "target_task", "target_language")
    means = rows.group_by(key, maintain_order=True).agg(
        value.mean(), lowest=value.min(), highest=value.max(), n_models=value.count()
    )
    cells = _by_cell(means, grid)
    return View(
        model=ALL_MODELS,
        variant=variant,
        letters=_letters(cells, grid.limit_pp),
        deltas=_whole_deltas(cells),
        values={
            "low": _array(cells, "lowest", hundredths),
            "high": _array(cells, "highest", hundredths),
            "models": _shorter(_array(cells, "n_models"), len(grid.targets)),
        },
        reasons={place: "not measured for any model" for place, cell in enumerate(cells) if cell is None},
    )


def _letters(cells: list[Row | None], limit_pp: float) -> str:
    return "".join(MISSING if cell is None else letter_of(cell["delta_pp"], limit_pp) for cell in cells)


def _whole_deltas(cells: list[Row | None]) -> tuple[int, ...]:
    return tuple(0 if cell is None else hundredths(cell["delta_pp"]) for cell in cells)


def _array(cells: list[Row | None], column: str, whole: Any = int) -> tuple[int | None, ...] | None:
    values = tuple(None if cell is None or is_absent(cell.get(column)) else whole(cell[column]) for cell in cells)
    return values if any(value is not None for value in values) else None


def _shorter(values: tuple[int | None, ...] | None, width: int) -> tuple[int | None, ...] | None:
    """One value where all cells agree, or one per target where all sources do: most tables are such."""
    if values is None:
        return None
    different = {value for value in values if value is not None}
    if len(different) == 1:
        return tuple(different)
    columns = [{value for value in values[place::width] if value is not None} for place in range(width)]
    if any(len(column) > 1 for column in columns):
        return values
    return tuple(next(iter(column), None) for column in columns)


def _reasons(cells: list[Row | None], grid: Grid, head: ReportHead, which: tuple[str, str]) -> dict[int, str]:
    model, variant = which
    width = len(grid.targets)
    reasons = {}
    for place, cell in enumerate(cells):
        if cell is not None:
            continue
        source, target = grid.sources[place // width].name, grid.targets[place % width].name
        told = [
            one.reason
            for one in head.failures
            if one.explains(model=model, source=source, target=target, recipe=variant.split(", ")[0])
        ]
        reasons[place] = told[0] if told else NOT_MEASURED
    return reasons
