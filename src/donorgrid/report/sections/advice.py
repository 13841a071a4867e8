"""What to train on: the sentences of a recommendation, gain against risk, the ten best, and what to measure next."""

from collections.abc import Mapping, Sequence
from typing import Any

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.risk_plot import risk_plot
from donorgrid.report.figures.series import Series
from donorgrid.report.formatting import percent, signed_pp
from donorgrid.report.plain_tables import PlainTable
from donorgrid.report.sections.section import Part, Section
from donorgrid.report.shown_advice import ShownAdvice, ShownOption

_MOST_SHOWN = 10


def advice_section(recommendations: Sequence[ShownAdvice], *, with_labels: bool = True) -> Section | None:
    """The section, a part per recommendation.

    Parameters
    ----------
    recommendations
        What to show.
    with_labels
        True to write model and wish above each part.

    Returns
    -------
    Section or None
        None without any.
    """
    if not recommendations:
        return None
    parts = tuple(
        Part(label=f"{advice.model}: {advice.wish}" if with_labels else "", content=_content(advice))
        for advice in recommendations
    )
    return Section(id="advice", title="What to train on", kind="advice", parts=parts)


def _content(advice: ShownAdvice) -> Mapping[str, Any]:
    best = [option for option in advice.options if option.low_pp < option.high_pp][:_MOST_SHOWN]
    comparators = [option for option in advice.options if option.is_named and option not in best]
    return {
        "advice": advice,
        "scatter": risk_plot(advice),
        "best": _intervals(best, advice) if best else None,
        "table": _table([*best, *comparators], advice),
        "steps": tuple((step.what, f"{step.cost:.1f}", signed_pp(step.worth_pp)) for step in advice.steps),
    }


def _intervals(best: Sequence[ShownOption], advice: ShownAdvice) -> DotPlot:
    series = Series(
        kind="donor",
        name="expected gain",
        values=tuple(option.gain_pp for option in best),
        lows=tuple(option.low_pp for option in best),
        highs=tuple(option.high_pp for option in best),
        tooltips=tuple(f"{option.label}: {signed_pp(option.gain_pp)} pp ({_interval(option)})" for option in best),
    )
    return dot_plot(f"{advice.model}: gains of the best options", "pp", [option.name for option in best], (series,))


def _table(options: Sequence[ShownOption], advice: ShownAdvice) -> PlainTable:
    guarded = advice.risk_limit is not None
    specific = any(option.specific for option in options)
    headings = ["train on", "gain (pp)", f"{advice.confidence:.0%} interval (pp)"]
    headings += [advice.risk_name, "guard most at risk", "guards"] if guarded else []
    headings += ["rests on"] + (["specific part (pp)"] if specific else [])
    return PlainTable(
        caption="The best options and the fixed comparators",
        headings=tuple(headings),
        numeric=tuple(heading in ("gain (pp)", advice.risk_name) for heading in headings),
        rows=tuple(_row(option, guarded=guarded, specific=specific) for option in options),
    )


def _row(option: ShownOption, *, guarded: bool, specific: bool) -> tuple[str, ...]:
    row = [option.label, signed_pp(option.gain_pp), _interval(option)]
    row += [percent(option.risk), option.guard, option.verdict] if guarded else []
    return (*row, option.evidence, *([option.specific] if specific else []))


def _interval(option: ShownOption) -> str:
    return f"{signed_pp(option.low_pp)} to {signed_pp(option.high_pp)}"
