"""What a choice rests on: noise beside harm, the best source without flattery, the right standard error."""

import polars as pl
from made_tables import Page, made_deltas, made_head, made_tables

from donorgrid.report import render_report
from donorgrid.report.standard_errors import error_beside, error_in_words

NOISE = {
    "regime": "transfer",
    "n": 306,
    "harm_rate": 0.16,
    "expected_harm_rate_no_effect": 0.391,
    "safe_rate": 0.392,
    "verdict_harmed_rate": 0.026,
    "undecided_rate": 0.582,
    "bh_harmed": 0.0065,
    "harm_limit_pp": 1.0,
}
CHOICE = {
    "what": "source",
    "model": "one",
    "best": "continent/en",
    "n_candidates": 18,
    "apparent_pp": 5.88,
    "honest_pp": 5.22,
    "split": "items",
}


def page(**further: pl.DataFrame) -> Page:
    deltas = made_deltas()
    return Page.read(render_report({**made_tables(deltas), **further}, made_head(deltas)))


def test_harm_stands_beside_what_noise_alone_gives() -> None:
    text = page(noise=pl.DataFrame([NOISE])).text
    assert "39.1% of transfer cells would still seem to lose 1 pp or more" in text
    assert "39.2% are safe at that limit, 2.6% are harmed and 58.2% are undecided" in text


def test_the_best_source_is_told_with_what_it_holds() -> None:
    text = page(choosing=pl.DataFrame([CHOICE])).text
    assert "Best source of 18 for one: continent/en, +5.88 pp" in text
    assert "measured on the other, the best gives +5.22 pp" in text


def test_sources_are_ranked_and_what_is_specific_to_them_is_shown() -> None:
    sources = pl.DataFrame(
        {
            "source_task": ["continent", "currency"],
            "source_language": ["en", "de"],
            "rank": [1, 2],
            "mean_pp": [2.0, 1.0],
            "se_pp": [None, None],
            "noise_se_pp": [0.4, 0.5],
        },
        schema_overrides={"se_pp": pl.Float64},
    )
    specific = pl.DataFrame(
        {"control": "other sources", "regime": ["MT-CL"], "mean_pp": [0.7], "mean_se_pp": [0.2], "harm_rate": [0.1]}
    )
    shown = page(sources=sources, specific_regimes=specific)
    assert [row[:2] for row in shown.tables["Sources"][1:]] == [["continent", "en"], ["currency", "de"]]
    assert "+0.70" in shown.tables["Specific transfer by control and regime"][1]
    ids = [attributes.get("id") for tag, attributes in shown.tags if tag == "section"]
    assert {"sources", "specific"} <= set(ids)


def test_the_standard_error_is_over_models_where_there_are_several_and_else_over_items() -> None:
    one = pl.DataFrame(
        {"donor_se_pp": [None], "donor_noise_se_pp": [0.5]}, schema_overrides={"donor_se_pp": pl.Float64}
    )
    several = pl.DataFrame({"donor_se_pp": [0.9], "donor_noise_se_pp": [0.5]})
    neither = pl.DataFrame({"donor_se_pp": [None]}, schema={"donor_se_pp": pl.Float64})
    assert error_beside(one, "donor") == "donor_noise_se_pp"
    assert "test items" in error_in_words(one, "donor")
    assert error_beside(several, "donor") == "donor_se_pp"
    assert error_in_words(several, "donor") == "over models"
    assert error_in_words(neither, "donor") == ""


def test_regimes_stand_again_without_degenerate_targets_where_there_are_any() -> None:
    sound = pl.DataFrame({"regime": ["transfer"], "n": [12], "mean_pp": [1.25], "mean_se_pp": [None]})
    marked = pl.DataFrame({"model": ["one"], "task": ["continent"], "language": ["de"], "reason": ["at chance"]})
    assert "Without degenerate targets" not in page(regimes_sound=sound).tables
    shown = page(regimes_sound=sound, degenerate=marked).tables["Without degenerate targets"]
    assert "+1.25" in shown[1]
