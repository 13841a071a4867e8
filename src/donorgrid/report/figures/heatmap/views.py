"""The views of the heat map: one per model and recipe, and the mean over models where there are several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from donorgrid.core.records import UNTRAINED, after, at_strength
from donorgrid.core.regimes import REGIMES, regime
from donorgrid.report.figures.heatmap.lines import Line
from donorgrid.report.figures.heatmap.tooltip import (
    Row,
    Values,
    cell_error_column,
    mean_values,
    missing_reasons,
    model_values,
    with_correct_counts,
)
from donorgrid.report.figures.palette import MISSING, letter_of
from donorgrid.report.formatting import hundredths, is_absent
from donorgrid.report.head import ReportHead

ALL_MODELS = "all models (mean)"
_DOSE = ("train_size", "data_seed", "checkpoint", "strength")
_IN_WORDS = {"checkpoint": after, "strength": at_strength}


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The sources and targets of every view, and the delta (pp) at which the colours end."""

    sources: tuple[Line, ...]
    targets: tuple[Line, ...]
    limit_pp: float


@dataclass(frozen=True, kw_only=True)
class View:
    """One model and recipe. Cells are numbered row by row.

    Attributes
    ----------
    model, variant
        What is shown; the variant is the recipe with train size, data seed, checkpoint and strength where
        they differ.
    letters
        A colour letter per cell (``palette.letter_of``); ``.`` for a missing cell.
    deltas
        A delta per cell in hundredths of a pp; 0 for a missing cell.
    tooltip_values
        The arrays of ``tooltip`` by name; None where the table lacks them.
    reasons
        Index of a missing cell to the reason.
    """

    model: str
    variant: str
    letters: str
    deltas: tuple[int, ...]
    tooltip_values: Mapping[str, Values | None]
    reasons: Mapping[int, str]


def views_of(deltas: pl.DataFrame, grid: Grid, head: ReportHead) -> tuple[View, ...]:
    """A view per model and recipe.

    Parameters
    ----------
    deltas
        The table ``DELTAS``.
    grid
        The sources and targets.
    head
        The order of the models, and the failures.

    Returns
    -------
    tuple of View
        Per recipe: the mean over models if there are several, then the models. Few-shot prompts, which train nothing,
        are part of every view.
    """
    trained = deltas.filter(pl.col("recipe") != UNTRAINED)
    few_shot = deltas.filter(pl.col("recipe") == UNTRAINED) if trained.height else deltas.clear()
    measured = trained if trained.height else deltas
    with_variants = measured.with_columns(variant=_variant(measured))
    models = list(dict.fromkeys([*head.models, *with_variants["model"].unique(maintain_order=True).to_list()]))
    views = []
    for variant in sorted(with_variants["variant"].unique().to_list()):
        of_variant = with_variants.filter(pl.col("variant") == variant)
        rows = pl.concat([of_variant, few_shot.with_columns(variant=pl.lit(variant))])
        if rows["model"].n_unique() > 1:
            views.append(_mean_view(rows, grid, variant))
        views += [
            _model_view(rows.filter(pl.col("model") == model), grid, head, model=model, variant=variant)
            for model in models
        ]
    return tuple(views)


def regime_digits(grid: Grid) -> str:
    """A digit per cell: the regime's index in ``REGIMES``, or ``-`` for sources that are not one cell."""
    return "".join(
        "-"
        if source.task is None
        else str(REGIMES.index(regime(source.task, source.language, target.task, target.language)))
        for source in grid.sources
        for target in grid.targets
    )


def _variant(deltas: pl.DataFrame) -> pl.Expr:
    parts = [pl.col("recipe")]
    for name in _DOSE:
        if name in deltas.columns and deltas[name].n_unique() > 1:
            parts.append(_dose_in_words(name))
    return pl.concat_str(parts)


def _dose_in_words(dose: str) -> pl.Expr:
    if dose in _IN_WORDS:
        words = pl.col(dose).map_elements(lambda value: f", {_IN_WORDS[dose](value)}", return_dtype=pl.String)
        return words.fill_null("")
    words = pl.lit(f", {dose.replace('_', ' ')} ") + pl.col(dose).cast(pl.String)
    return words.fill_null(f", {dose.replace('_', ' ')} all")


def _model_view(rows: pl.DataFrame, grid: Grid, head: ReportHead, *, model: str, variant: str) -> View:
    cells = _by_cell(with_correct_counts(rows, head), grid)
    recipe = variant.split(", ")[0]
    return View(
        model=model,
        variant=variant,
        letters=_letters(cells, grid.limit_pp),
        deltas=_deltas(cells),
        tooltip_values=model_values(cells, error_column=cell_error_column(rows), n_targets=len(grid.targets)),
        reasons=missing_reasons(cells, grid.sources, grid.targets, head, model=model, recipe=recipe),
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
        deltas=_deltas(cells),
        tooltip_values=mean_values(cells, n_targets=len(grid.targets)),
        reasons={index: "not measured for any model" for index, cell in enumerate(cells) if cell is None},
    )


def _by_cell(rows: pl.DataFrame, grid: Grid) -> list[Row | None]:
    """The row of each cell, source by source; None where there is no delta."""
    known = {
        (row["source_name"], row["target_task"], row["target_language"]): row
        for row in rows.iter_rows(named=True)
        if not is_absent(row["delta_pp"])
    }
    return [
        known.get((source.name, target.task, target.language)) for source in grid.sources for target in grid.targets
    ]


def _letters(cells: Sequence[Row | None], limit_pp: float) -> str:
    return "".join(MISSING if cell is None else letter_of(cell["delta_pp"], limit_pp) for cell in cells)


def _deltas(cells: Sequence[Row | None]) -> tuple[int, ...]:
    return tuple(0 if cell is None else hundredths(cell["delta_pp"]) for cell in cells)
