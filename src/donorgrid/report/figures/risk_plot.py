"""Gain against risk: one point per option, the largest admissible risk as a line."""

from dataclasses import dataclass

from donorgrid.report.figures.axes import Tick, axis_over
from donorgrid.report.figures.pareto import Name, Point, free_names
from donorgrid.report.formatting import percent, signed_pp
from donorgrid.report.shown_advice import ShownAdvice, ShownOption

_PLOT_WIDTH = 560
_MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True)
class RiskPlot:
    """A scatter plot; positions are percent of its width and height.

    Attributes
    ----------
    title, risk_name
        The plot's name, and that of its upward axis.
    points, names
        The options, admissible ones filled, and the names written in the plot.
    x_ticks, y_ticks, x_zero
        The axes, and the position of no gain.
    limit, limit_label
        The line of the largest admissible risk.
    """

    title: str
    risk_name: str
    points: tuple[Point, ...]
    names: tuple[Name, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_zero: float
    limit: float
    limit_label: str


def risk_plot(advice: ShownAdvice) -> RiskPlot | None:
    """Returns the plot of a recommendation, the best options first; None if nothing is guarded."""
    options = [option for option in advice.options if option.risk is not None][:_MOST_POINTS]
    if advice.risk_limit is None or not options:
        return None
    x_axis = axis_over((option.gain_pp for option in options), wanted_ticks=6)
    risks = [100.0 * (option.risk or 0.0) for option in options]
    y_axis = axis_over([*risks, 130.0 * advice.risk_limit], wanted_ticks=5, signed=False, most=100.0)
    points = tuple(
        Point(
            x=x_axis.at(option.gain_pp),
            y=round(100.0 - y_axis.at(risk), 2),
            on_front=option.verdict == "safe",
            tooltip=_tooltip(option),
        )
        for option, risk in zip(options, risks, strict=True)
    )
    named = [(point.x, point.y, option.name) for point, option in zip(points, options, strict=True) if option.is_named]
    return RiskPlot(
        title=f"{advice.model}: gain against risk",
        risk_name=advice.risk_name,
        points=tuple(reversed(points)),
        names=free_names(list(reversed(named)), points, width=_PLOT_WIDTH),
        x_ticks=x_axis.ticks,
        y_ticks=tuple(Tick(at=round(100.0 - tick.at, 2), label=f"{tick.label}%") for tick in y_axis.ticks),
        x_zero=x_axis.at(0),
        limit=round(100.0 - y_axis.at(100.0 * advice.risk_limit), 2),
        limit_label=f"limit {percent(advice.risk_limit)}",
    )


def _tooltip(option: ShownOption) -> str:
    interval = f"{signed_pp(option.low_pp)} to {signed_pp(option.high_pp)}"
    worst = f"; most at risk: {option.guard}" if option.guard else ""
    return (
        f"{option.label}: gain {signed_pp(option.gain_pp)} pp ({interval}), risk {percent(option.risk)}, "
        f"{option.verdict}{worst}; {option.evidence}"
    )
