"""The tables behind the regimes: without degenerate targets, and with intervals."""

import polars as pl
from example_tables import example_intervals, page_with


def test_regimes_are_repeated_without_degenerate_targets_if_there_are_any() -> None:
    sound = pl.DataFrame({"regime": ["transfer"], "n": [12], "mean_pp": [1.25], "mean_se_pp": [None]})
    marked = pl.DataFrame({"model": ["one"], "task": ["continent"], "language": ["de"], "reason": ["at chance"]})
    assert "Without degenerate targets" not in page_with(regimes_sound=sound).tables
    rows = page_with(regimes_sound=sound, degenerate=marked).tables["Without degenerate targets"]
    assert "+1.25" in rows[1]


def test_regimes_and_roles_have_tables_of_intervals() -> None:
    page = page_with(intervals=example_intervals())
    assert page.tables["Intervals, by resampling training runs and test items"] == [
        ["regime", "mean delta (pp)", "gained", "harmed"],
        ["MT-CL", "+0.50 (+0.25 to +0.75)", "60.0% (50.0% to 70.0%)", "–"],
        ["transfer", "−1.00 (−1.50 to −0.25)", "–", "20.0% (12.5% to 30.0%)"],
    ]
    roles = page.tables["Donors, recipients and sources: intervals, by resampling training runs and test items"]
    assert roles[1:] == [["language donor", "de", "+1.25 (+1.00 to +1.50)"], ["source", "continent/de", "+2.00"]]
