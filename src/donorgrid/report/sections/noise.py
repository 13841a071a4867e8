"""Harm and noise: the harm rate that was counted, next to the rate that noise alone would give."""

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.series import series_of_rates
from donorgrid.report.sections.section import Section, Tables, filled, tabled_section


def noise_section(tables: Tables) -> Section | None:
    """Observed harm rates by regime next to those expected from noise."""
    return tabled_section(
        filled(tables, "noise"),
        anchor="noise",
        title="Harm and noise",
        note="How much harm would be counted if no training had any effect, next to what was counted.",
        plot=_harm_rates,
    )


def _harm_rates(frame: pl.DataFrame) -> DotPlot | None:
    labels = frame["regime"].to_list()
    wanted = (
        ("donor", "observed", "harm_rate"),
        ("recipient", "expected from noise alone", "expected_harm_rate_no_effect"),
        ("third", "empirical Bayes", "eb_harm_rate"),
    )
    series = tuple(
        series_of_rates(frame, labels, kind=kind, name=name, column=column)
        for kind, name, column in wanted
        if column in frame.columns
    )
    return dot_plot("Harm rate by regime", "%", labels, series, scale=100) if series else None
