"""The section on what to train on: which options it names, where the line is, and what it leaves out."""

from dataclasses import replace

from donorgrid.report import ShownAdvice, ShownOption, ShownStep, render_advice
from donorgrid.report.figures.risk_plot import risk_plot
from donorgrid.report.sections.advice import advice_section


def option(name: str, gain_pp: float, risk: float | None, verdict: str = "safe", *, named: bool = False) -> ShownOption:
    return ShownOption(
        name=name,
        label=name,
        gain_pp=gain_pp,
        low_pp=gain_pp - 1,
        high_pp=gain_pp + 1,
        risk=risk,
        guard="ask/en: 3%",
        verdict=verdict,
        evidence="measured (400 items)",
        specific="",
        is_named=named,
    )


ADVICE = ShownAdvice(
    model="alpha",
    wish="ask/de, 1 guard above −1 pp",
    sentences=("Train on <tell/de>.",),
    options=(
        option("tell/de", 4.0, 0.05, named=True),
        *(option(f"read/{number}", 3.0, 0.4, "undecided") for number in range(12)),
        option("everything mixed", 1.0, 0.2, "undecided", named=True),
    ),
    confidence=0.9,
    risk_name="worst guard harmed, probability",
    risk_limit=0.1,
)


def test_the_plot_has_every_option_and_the_limit_between_what_is_below_and_above() -> None:
    plot = risk_plot(ADVICE)
    assert plot is not None
    assert len(plot.points) == 14
    best = plot.points[-1]
    assert best.on_front
    assert best.y > plot.limit
    assert all(point.y < plot.limit for point in plot.points[:-1])
    assert [name.text for name in plot.names] == ["tell/de", "everything mixed"]
    assert plot.limit_label == "limit 10.0%"


def test_no_risk_is_above_100_percent() -> None:
    plot = risk_plot(replace(ADVICE, options=(option("tell/de", 4.0, 1.0), option("read/de", 1.0, 0.0))))
    assert plot is not None
    assert min(plot.y_ticks, key=lambda tick: tick.at).label == "100%"


def test_without_guards_there_is_no_risk_to_plot() -> None:
    free = replace(ADVICE, risk_limit=None, options=tuple(replace(each, risk=None) for each in ADVICE.options))
    assert risk_plot(free) is None
    assert "Gain against risk" not in render_advice(free)
    assert "guard most at risk" not in render_advice(free)


def test_ten_options_and_the_comparators_stand_in_the_table() -> None:
    section = advice_section([ADVICE])
    assert section is not None
    rows = section.parts[0].content["table"].rows
    assert len(rows) == 11
    assert rows[-1][0] == "everything mixed"
    assert len(section.parts[0].content["best"].labels) == 10


def test_foreign_text_is_escaped_and_steps_have_their_cost() -> None:
    step = ShownStep(what="train: read/fr", cost=1.0, worth_pp=0.4)
    page = render_advice(replace(ADVICE, steps=(step,), commands=("donorgrid run next.yaml",)))
    assert "Train on &lt;tell/de&gt;." in page
    assert "what it would cost" in page
    assert "<code>donorgrid run next.yaml</code>" in page
    assert "what it would cost" not in render_advice(ADVICE)


def test_a_report_without_advice_has_no_section() -> None:
    assert advice_section([]) is None
