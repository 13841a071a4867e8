import polars as pl
import pytest

from donorgrid.report.figures.dotplot import ROW_HEIGHT, dot_plot, series_of_rates, series_with_interval, series_with_se

MEANS = pl.DataFrame({"mean_pp": [2.0, -1.0, None], "se_pp": [0.5, None, None]})


def test_whiskers_reach_one_standard_error_to_either_side() -> None:
    series = series_with_se(MEANS, "donor", "mean", ("mean_pp", "se_pp"), ["a", "b", "c"])
    plot = dot_plot("title", "pp", ["a", "b", "c"], (series,))
    assert [tick.label for tick in plot.ticks] == ["−2", "−1", "0", "+1", "+2", "+3"]
    first, second = plot.marks
    assert (first.low, first.at, first.high) == (70.0, 80.0, 90.0)
    assert (second.low, second.at, second.high) == (20.0, 20.0, 20.0)
    assert (first.y, second.y) == (ROW_HEIGHT / 2, ROW_HEIGHT * 3 / 2)
    assert [mark.told for mark in plot.marks] == ["a, mean: +2.00 ± 0.50 pp", "b, mean: −1.00 pp"]


def test_intervals_are_drawn_as_the_table_has_them() -> None:
    frame = pl.DataFrame({"share": [0.25], "share_low": [0.1], "share_high": [0.5]})
    series = series_with_interval(frame, "share", ("share", "share_low", "share_high"), ["source"])
    plot = dot_plot("title", "%", ["source"], (series,), scale=100)
    (mark,) = plot.marks
    assert (mark.low / mark.at, mark.high / mark.at) == pytest.approx((0.4, 2.0), abs=1e-3)
    assert plot.ticks[1].label == "10"
    assert mark.told == "source, share: 25.0%"


def test_series_of_one_row_do_not_cover_one_another() -> None:
    frame = pl.DataFrame({"one_rate": [0.2], "other_rate": [0.2], "third_rate": [0.2]})
    series = tuple(series_of_rates(frame, kind, kind, f"{kind}_rate", ["row"]) for kind in ("one", "other", "third"))
    heights = [mark.y for mark in dot_plot("title", "%", ["row"], series, scale=100).marks]
    assert heights == [ROW_HEIGHT / 2 - 10, ROW_HEIGHT / 2, ROW_HEIGHT / 2 + 10]
