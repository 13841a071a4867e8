import polars as pl
import pytest

from donorgrid.report.figures.dotplot import ROW_HEIGHT, dot_plot
from donorgrid.report.figures.series import series_of_rates, series_with_interval, series_with_se

KINDS = ("donor", "recipient", "third")
MEANS = pl.DataFrame({"mean_pp": [2.0, -1.0, None], "se_pp": [0.5, None, None]})


def test_whiskers_reach_one_standard_error_to_each_side() -> None:
    series = series_with_se(MEANS, ["a", "b", "c"], kind="donor", name="mean", value="mean_pp", error="se_pp")
    plot = dot_plot("title", "pp", ["a", "b", "c"], (series,))
    assert [tick.label for tick in plot.ticks] == ["−2", "−1", "0", "+1", "+2", "+3"]
    first, second = plot.marks
    assert (first.low, first.at, first.high) == (70.0, 80.0, 90.0)
    assert (second.low, second.at, second.high) == (20.0, 20.0, 20.0)
    assert (first.y, second.y) == (ROW_HEIGHT / 2, ROW_HEIGHT * 3 / 2)
    assert [mark.tooltip for mark in plot.marks] == ["a, mean: +2.00 ± 0.50 pp", "b, mean: −1.00 pp"]


def test_whiskers_end_where_the_interval_of_the_table_ends() -> None:
    frame = pl.DataFrame({"share": [0.25], "share_low": [0.1], "share_high": [0.5]})
    series = series_with_interval(frame, ["source"], name="share", value="share", low="share_low", high="share_high")
    plot = dot_plot("title", "%", ["source"], (series,), scale=100)
    (mark,) = plot.marks
    assert (mark.low / mark.at, mark.high / mark.at) == pytest.approx((0.4, 2.0), abs=1e-3)
    assert plot.ticks[1].label == "10"
    assert mark.tooltip == "source, share: 25.0%"


def test_series_of_the_same_row_do_not_overlap() -> None:
    frame = pl.DataFrame({"donor_rate": [0.2], "recipient_rate": [0.2], "third_rate": [0.2]})
    series = tuple(series_of_rates(frame, ["row"], kind=kind, name=kind, column=f"{kind}_rate") for kind in KINDS)
    heights = [mark.y for mark in dot_plot("title", "%", ["row"], series, scale=100).marks]
    assert heights == [ROW_HEIGHT / 2 - 10, ROW_HEIGHT / 2, ROW_HEIGHT / 2 + 10]
