"""The tables behind the regimes: without degenerate targets, and with intervals."""

import polars as pl
from example_tables import example_deltas, example_intervals, example_tables, page_with

MARKED = pl.DataFrame({"model": ["one"], "task": ["continent"], "language": ["de"], "reason": ["at chance"]})


def sound_regimes() -> pl.DataFrame:
    """The regimes of the example without some of its cells."""
    regimes = example_tables(example_deltas())["regimes"].filter(pl.col("regime") == "transfer")
    return regimes.with_columns(n=pl.lit(12), mean_pp=pl.lit(1.25), positive_rate=pl.lit(0.75), harm_rate=pl.lit(0.125))


def test_the_page_leads_with_sound_targets_and_has_the_others_beside_them() -> None:
    plain = page_with(regimes_sound=sound_regimes())
    assert "without degenerate targets" not in " ".join(plain.tables)
    page = page_with(regimes_sound=sound_regimes(), degenerate=MARKED)
    assert "+1.25" in page.tables["Transfer by regime, without degenerate targets"][1]
    of_all = page.tables["Transfer by regime, with degenerate targets too"]
    assert [sorted(row) for row in of_all] == [sorted(row) for row in plain.tables["Transfer by regime"]]
    assert "Over 12 transfer cells" in page.text
    assert "except the trained cell itself, without degenerate targets)" in page.text
    assert "With the degenerate targets too, over " in page.text
    assert page.text.index("Over 12 transfer cells") < page.text.index("With the degenerate targets too")
    assert "They are left out above and in every section below but" in page.text


def test_a_page_without_a_sound_target_says_so_first() -> None:
    page = page_with(regimes_sound=sound_regimes().clear(), degenerate=MARKED)
    assert "Transfer by regime" in page.tables
    assert page.text.index("No target is sound") < page.text.index("answered the test items")
    assert "They are left out" not in page.text


def test_regimes_and_roles_have_tables_of_intervals() -> None:
    page = page_with(intervals=example_intervals())
    assert page.tables["Intervals, by resampling training runs and test items"] == [
        ["regime", "mean delta (pp)", "gained", "harmed"],
        ["MT-CL", "+0.50 (+0.25 to +0.75)", "60.0% (50.0% to 70.0%)", "–"],
        ["transfer", "−1.00 (−1.50 to −0.25)", "–", "20.0% (12.5% to 30.0%)"],
    ]
    roles = page.tables["Donors, recipients and sources: intervals, by resampling training runs and test items"]
    assert roles[1:] == [["language donor", "de", "+1.25 (+1.00 to +1.50)"], ["source", "continent/de", "+2.00"]]
