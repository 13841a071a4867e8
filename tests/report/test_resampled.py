"""Intervals by resampling, baselines and agreement on the page."""

import polars as pl
import pytest
from made_tables import Page, made_deltas, made_head, made_tables

from donorgrid.core import tables as declared
from donorgrid.report import render_report
from donorgrid.report.sections import models as model_sections


def intervals(resampled: str = "seeds, items", **more: str) -> pl.DataFrame:
    rows = [
        ("regime", "MT-CL", "mean_pp", 0.5, 0.25, 0.75),
        ("regime", "MT-CL", "positive_rate", 0.6, 0.5, 0.7),
        ("regime", "transfer", "mean_pp", -1.0, -1.5, -0.25),
        ("regime", "transfer", "harm_rate", 0.2, 0.125, 0.3),
        ("language donor", "de", "mean_pp", 1.25, 1.0, 1.5),
        ("source", "continent/de", "mean_pp", 2.0, float("nan"), 3.0),
    ]
    frame = pl.DataFrame(rows, schema=["kind", "name", "statistic", "value", "low", "high"], orient="row")
    return declared.INTERVALS.check(
        frame.with_columns(
            resampled=pl.lit(resampled),
            n_models=pl.lit(1),
            n_draws=pl.lit(1000),
            recipe=pl.lit(more.get("recipe", "lora-0a1b2c3d")),
            train_size=pl.lit(None, dtype=pl.Int64),
        )
    )


def baselines(models: tuple[str, ...]) -> pl.DataFrame:
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


def agreement() -> pl.DataFrame:
    return declared.AGREEMENT.check(
        pl.DataFrame(
            {
                "what": ["language donor", "task donor"],
                "between": ["models", "models"],
                "n_candidates": [3, 3],
                "n_pairs": [1, 1],
                "kendall": [0.5, None],
                "spearman": [0.75, None],
                "ceiling_kendall": [0.875, None],
                "recipe": "lora-0a1b2c3d",
                "train_size": pl.Series([None, None], dtype=pl.Int64),
            }
        )
    )


def page_with(models: tuple[str, ...] = ("one",), **tables: pl.DataFrame) -> Page:
    deltas = made_deltas(models=models)
    return Page.read(render_report({**made_tables(deltas), **tables}, made_head(deltas)))


def test_intervals_stand_beside_the_headline_and_the_regimes():
    page = page_with(intervals=intervals())
    assert "With training runs and test items drawn again, the interval of that mean is −1.50 to −0.25 pp" in page.text
    assert "of the share lost 12.5% to 30.0%." in page.text
    assert page.tables["With intervals, by drawing training runs and test items again"] == [
        ["regime", "mean delta (pp)", "gained", "harmed"],
        ["MT-CL", "+0.50 (+0.25 to +0.75)", "60.0% (50.0% to 70.0%)", "–"],
        ["transfer", "−1.00 (−1.50 to −0.25)", "–", "20.0% (12.5% to 30.0%)"],
    ]
    roles = page.tables["Donors, recipients and sources, by drawing training runs and test items again"]
    assert roles[1:] == [["language donor", "de", "+1.25 (+1.00 to +1.50)"], ["source", "continent/de", "+2.00"]]


def test_what_was_drawn_again_is_said_and_arms_stand_apart():
    drawn = intervals("models, seeds, items")
    assert "With models, training runs and test items drawn again" in page_with(intervals=drawn).text
    other = intervals(recipe="other").with_columns(pl.col("low") - 1.0)
    text = page_with(intervals=pl.concat([intervals(), other])).text
    assert "other: With training runs and test items drawn again, the interval of that mean is −2.50 to" in text


def test_without_intervals_nothing_is_said_of_them():
    page = page_with(intervals=intervals().clear())
    assert "drawn again, the interval" not in page.text
    assert not [caption for caption in page.tables if "again" in caption]


@pytest.mark.parametrize("models", [("one",), ("one", "two")])
def test_few_baselines_have_a_figure_and_a_table_per_model(models: tuple[str, ...]):
    page = page_with(models, baselines=baselines(models))
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


def test_many_baselines_share_one_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(model_sections, "MOST_DRAWN", 4)
    models = ("one", "two", "three")
    arms = pl.concat([baselines(models), baselines(models).with_columns(recipe=pl.lit("other"))])
    page = page_with(models, baselines=arms)
    assert page.tables["Scores before training"] == [
        ["target", "chance", *models],
        ["continent/de", "25.0%", "62.5%", "62.5%", "62.5%"],
        ["continent/zh", "25.0%", "25.0%†", "25.0%†", "–"],
    ]


def test_the_ranks_of_donors_stand_beside_their_ceiling():
    page = page_with(("one", "two"), agreement=agreement())
    rows = page.tables["Agreement of donor ranks"]
    assert rows[1:] == [
        ["language donor", "models", "3", "1", "0.5", "0.75", "0.875"],
        ["task donor", "models", "3", "1", "–", "–", "–"],
    ]
    assert "language donors, between models, ceiling: 0.875" in page.text
    assert not [text for tag, told in page.tags if tag == "section" for text in told.values() if text == "baselines"]


def test_a_component_at_zero_and_a_fit_that_did_not_converge_are_said():
    rows = {
        "scope": "transfer",
        "fit": ["crossed", "crossed", "task+language"],
        "component": ["model", "residual", "model"],
        "variance": [0.0, 1.0, 0.5],
        "share": [0.0, 1.0, 0.5],
        "status": ["at zero", "estimated", "estimated"],
        "converged": [True, True, False],
    }
    text = page_with(variance=pl.DataFrame(rows)).text
    assert "nothing for a component beside the others: model (crossed, transfer)." in text
    assert "Not converged, so not to be relied on: task+language, transfer." in text
    fine = pl.DataFrame(rows).with_columns(status=pl.lit("estimated"), converged=pl.lit(value=True))
    assert "Not converged" not in page_with(variance=fine).text
