"""The base models' scores before training."""

import polars as pl
import pytest
from example_tables import page_with

from donorgrid.core import tables as declared
from donorgrid.report.sections import baselines as section


def example_baselines(models: tuple[str, ...]) -> pl.DataFrame:
    rows = [
        {
            "model": model,
            "task": "continent",
            "language": language,
            "n_items": 100,
            "score_base": score,
            "score_base_low": score - 0.1,
            "score_base_high": score + 0.1,
            "chance": 0.25,
            "chosen_entropy": 0.9,
            "answer_entropy": 0.9,
            "mean_delta_pp": 1.5,
            "shared_se_pp": 0.75,
            "corrected_delta_pp": 1.0,
            "degenerate": score < 0.3,
            "reason": "its baseline is at chance" if score < 0.3 else None,
            "recipe": "lora-0a1b2c3d",
            "train_size": None,
        }
        for model in models
        for language, score in (("de", 0.625), ("zh", 0.25))
        if (model, language) != ("three", "zh")
    ]
    return declared.BASELINES.check(pl.DataFrame(rows, schema_overrides={"reason": pl.String, "train_size": pl.Int64}))


@pytest.mark.parametrize("models", [("one",), ("one", "two")])
def test_few_baselines_have_a_figure_and_a_table_per_model(models: tuple[str, ...]) -> None:
    page = page_with(models, baselines=example_baselines(models))
    for model in models:
        assert page.tables[f"{model}, before training"][1:] == [
            ["continent/de", "100", "62.5% (52.5% to 72.5%)", "25.0%", "+1.50 ± 0.75", "+1.00", "no"],
            [
                "continent/zh",
                "100",
                "25.0% (15.0% to 35.0%)",
                "25.0%",
                "+1.50 ± 0.75",
                "+1.00",
                "its baseline is at chance",
            ],
        ]
    assert page.text.count("continent/zh†: 25.0%, chance 25.0%") == len(models)


def test_many_baselines_share_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "MOST_DRAWN", 4)
    models = ("one", "two", "three")
    arms = pl.concat([example_baselines(models), example_baselines(models).with_columns(recipe=pl.lit("other"))])
    page = page_with(models, baselines=arms)
    assert page.tables["Scores before training"] == [
        ["target", "chance", *models],
        ["continent/de", "25.0%", "62.5%", "62.5%", "62.5%"],
        ["continent/zh", "25.0%", "25.0%†", "25.0%†", "–"],
    ]
