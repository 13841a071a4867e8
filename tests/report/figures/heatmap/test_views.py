import polars as pl
import pytest
from example_tables import example_deltas, example_head

from donorgrid.core.regimes import REGIMES
from donorgrid.report import Failure
from donorgrid.report.figures.heatmap.lines import bands, source_lines, target_lines
from donorgrid.report.figures.heatmap.tooltip import NOT_MEASURED
from donorgrid.report.figures.heatmap.views import ALL_MODELS, Grid, View, regime_digits, views_of
from donorgrid.report.figures.palette import MISSING
from donorgrid.report.summary.study import n_adapters


def grid_of(deltas: pl.DataFrame, **head: object) -> Grid:
    the_head = example_head(deltas, **head)
    return Grid(sources=source_lines(deltas, the_head), targets=target_lines(deltas, the_head), limit_pp=8.0)


def value_at(view: View, name: str, index: int, width: int) -> int | None:
    """A cell's value as the script reads it: an array has a value per cell, per target, or one for all cells."""
    values = view.tooltip_values[name]
    assert values is not None
    return values[index if len(values) == len(view.letters) else index % width if len(values) == width else 0]


def test_every_cell_carries_the_values_of_its_row() -> None:
    deltas = example_deltas(models=("one", "two"))
    grid, head = grid_of(deltas), example_head(deltas)
    for view in views_of(deltas, grid, head)[1:]:
        for index in range(81):
            source, target = grid.sources[index // 9], grid.targets[index % 9]
            row = deltas.row(
                by_predicate=(pl.col("model") == view.model)
                & (pl.col("source_name") == source.name)
                & (pl.col("target_task") == target.task)
                & (pl.col("target_language") == target.language),
                named=True,
            )
            assert view.deltas[index] == round(100 * row["delta_pp"])
            in_view = {name: value_at(view, name, index, 9) for name in ("se", "items", "right", "base", "seeds")}
            assert in_view == {
                "se": round(100 * row["se_pp"]),
                "items": 400,
                "right": row["n_right_norm"],
                "base": row["n_right_norm_base"],
                "seeds": 2,
            }


def test_values_that_all_sources_share_are_stored_once() -> None:
    deltas = example_deltas()
    (view,) = views_of(deltas, grid_of(deltas), example_head(deltas))
    assert len(view.tooltip_values["items"] or ()) == 1
    assert len(view.tooltip_values["base"] or ()) == 9


def test_counts_follow_the_metric_of_their_row() -> None:
    other = example_deltas().with_columns(
        n_right=pl.col("n_right_norm") + 1000, n_right_base=pl.col("n_right_norm_base") + 1000, metric=pl.lit("acc")
    )
    (view,) = views_of(other, grid_of(other), example_head(other))
    assert min(view.tooltip_values["right"] or (0,)) > 1000


def test_the_mean_over_models_comes_first_and_has_its_range() -> None:
    deltas = example_deltas(models=("one", "two", "three"))
    views = views_of(deltas, grid_of(deltas), example_head(deltas))
    mean, of_models = views[0], views[1:]
    assert (mean.model, mean.tooltip_values["models"]) == (ALL_MODELS, (3,))
    for index in range(81):
        values = [view.deltas[index] for view in of_models]
        assert mean.deltas[index] == pytest.approx(sum(values) / 3, abs=0.51)
        assert (value_at(mean, "low", index, 9), value_at(mean, "high", index, 9)) == (min(values), max(values))


def test_a_missing_cell_has_the_reason_of_its_failure() -> None:
    absent = (pl.col("source_name") == "currency/en") | (
        (pl.col("source_name") == "continent/de") & (pl.col("target_language") == "zh")
    )
    deltas = example_deltas().filter(~absent)
    failures = (
        Failure(model="one", source="currency/en", train_seed=1, reason="diverged"),
        Failure(model="one", source="continent/de", target="currency/zh", reason="out of memory"),
        Failure(model="other", source="continent/de", reason="not ours"),
    )
    grid = grid_of(deltas, failures=failures)
    (view,) = views_of(deltas, grid, example_head(deltas, failures=failures))
    missing = {
        (grid.sources[index // 9].name, grid.targets[index % 9].name): reason for index, reason in view.reasons.items()
    }
    assert view.letters.count(MISSING) == len(missing) == 9 + 3
    assert missing["currency/en", "language/de"] == "diverged"
    assert missing["continent/de", "currency/zh"] == "out of memory"
    assert missing["continent/de", "language/zh"] == NOT_MEASURED


def test_each_recipe_and_train_size_has_a_view() -> None:
    deltas = example_deltas()
    sizes = [deltas.with_columns(train_size=pl.lit(size, dtype=pl.Int64)) for size in (100, None)]
    stacked = pl.concat(sizes)
    views = views_of(stacked, grid_of(stacked), example_head(stacked))
    assert [view.variant for view in views] == ["lora-0a1b2c3d, train size 100", "lora-0a1b2c3d, train size all"]


def test_each_checkpoint_has_a_view_and_few_shot_prompts_are_in_all_of_them() -> None:
    deltas = example_deltas()
    stacked = [deltas.with_columns(checkpoint=pl.lit(dose, dtype=pl.Float64)) for dose in (None, 1, 0.5)]
    few_shot = deltas.filter(pl.col("source_name") == "language/de").with_columns(
        recipe=pl.lit("untrained"), source_kind=pl.lit("control"), source_name=pl.lit("few-shot-4:language/de")
    )
    whole = pl.concat([*stacked, few_shot], how="diagonal")
    views = views_of(whole, grid_of(whole), example_head(whole))
    recipe = "lora-0a1b2c3d"
    assert [view.variant for view in views] == [recipe, f"{recipe}, after 0.5 epochs", f"{recipe}, after 1 epoch"]
    assert not any(view.reasons for view in views)
    assert n_adapters(whole) == 3 * n_adapters(deltas)


def test_rows_are_grouped_by_task_then_mixes_then_controls() -> None:
    deltas = example_deltas()
    rows = deltas.filter(pl.col("source_name") == "language/de")
    absent = pl.lit(None, dtype=pl.String)
    others = [
        rows.with_columns(
            source_kind=pl.lit(kind), source_name=pl.lit(name), source_task=absent, source_language=absent
        )
        for kind, name in (("control", "a control"), ("mix", "z mix"))
    ]
    planned = ("language/de", "currency/fr")
    head = example_head(deltas, languages=("zh", "en", "de", "fr"), sources=planned)
    lines = source_lines(pl.concat([*others, deltas]), head)
    assert [line.name for line in lines[-2:]] == ["z mix", "a control"]
    assert [line.language for line in lines[:3]] == ["zh", "en", "de"]
    assert [(band.name, band.first, band.size) for band in bands(lines)] == [
        ("continent", 0, 3), ("currency", 3, 4), ("language", 7, 3), ("mixes", 10, 1), ("controls", 11, 1),
    ]  # fmt: skip


def test_regimes_are_those_of_the_rule() -> None:
    deltas = example_deltas(n_tasks=2, languages=("de", "en"))
    digits = regime_digits(grid_of(deltas))
    names = [REGIMES[int(digit)] for digit in digits]
    assert names == deltas["regime"].to_list()
