"""Sentences on transfer as a whole: noise and intervals."""

import polars as pl
from example_tables import example_intervals, page_with

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


def test_harm_is_compared_with_what_noise_alone_gives() -> None:
    text = page_with(noise=pl.DataFrame([NOISE])).text
    assert "39.1% of transfer cells would still appear to lose 1 pp or more" in text
    assert "39.2% are safe, 2.6% are harmed and 58.2% are undecided" in text


def test_without_verdicts_the_page_has_no_shares_of_them() -> None:
    absent = dict.fromkeys(("safe_rate", "verdict_harmed_rate", "undecided_rate"), None)
    text = page_with(noise=pl.DataFrame([NOISE | absent])).text
    assert "39.1% of transfer cells would still appear to lose 1 pp or more" in text
    assert "Judged cell by cell" not in text


def test_the_interval_of_the_mean_and_of_the_harm_rate_is_one_sentence() -> None:
    text = page_with(intervals=example_intervals()).text
    assert "Resampling training runs and test items gives an interval of −1.50 to −0.25 pp for that mean" in text
    assert "and of 12.5% to 30.0% for the share that lost." in text


def test_a_number_with_an_interval_has_no_second_statement_of_its_uncertainty() -> None:
    page = page_with(intervals=example_intervals())
    summary = page.text[: page.text.index("Best donor language")]
    assert "±" not in summary
    assert "mean delta over transfer cells (−1.50 to −0.25)" in summary
    for name, table in page.tables.items():
        assert not [heading for heading in table[0] if heading.startswith("interval")] or "families" in name


def test_the_sentence_names_what_was_resampled_and_arms_have_sentences_of_their_own() -> None:
    with_models = example_intervals("models, seeds, items")
    assert "Resampling models, training runs and test items gives" in page_with(intervals=with_models).text
    other = example_intervals(recipe="other").with_columns(pl.col("low") - 1.0)
    text = page_with(intervals=pl.concat([example_intervals(), other])).text
    assert "other: Resampling training runs and test items gives an interval of −2.50 to" in text


def test_without_intervals_the_page_does_not_mention_them() -> None:
    page = page_with(intervals=example_intervals().clear())
    assert "Resampling" not in page.text
    assert not [caption for caption in page.tables if "resampling" in caption]
