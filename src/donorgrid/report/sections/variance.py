"""What explains the differences between deltas: variance components, and linguistic distance."""

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.series import series_with_interval
from donorgrid.report.sections.section import Section, Tables, filled, tabled_section


def variance_section(tables: Tables) -> Section | None:
    """Variance shares per scope and fit."""
    return tabled_section(
        filled(tables, "variance"),
        anchor="variance",
        title="Where the variance lies",
        note="Shares of the variance of deltas in mixed-effects models fitted by REML. The figure shows the crossed "
        "fit with its intervals.",
        plot=_crossed_shares,
        remarks=_remarks,
    )


def linguistic_section(tables: Tables) -> Section | None:
    """Correlations with linguistic distance."""
    return tabled_section(
        filled(tables, "linguistic"),
        anchor="linguistic",
        title="Linguistic distance",
        note="Correlation of transfer between languages (MT-CL) with the distance between the two languages.",
    )


def _crossed_shares(frame: pl.DataFrame) -> DotPlot | None:
    crossed = frame.filter(pl.col("fit") == "crossed")
    labels = [f"{scope}, {component}" for scope, component in crossed.select("scope", "component").iter_rows()]
    if not labels:
        return None
    series = series_with_interval(
        crossed, labels, name="share of the variance", value="share", low="share_low", high="share_high"
    )
    return dot_plot("Variance shares of the crossed fit", "%", labels, (series,), scale=100)


def _remarks(frame: pl.DataFrame) -> tuple[str, ...]:
    """What a reader must know about the fits: components at zero, and fits that did not converge."""
    if not {"status", "converged", "scope", "fit", "component"} <= set(frame.columns):
        return ()
    at_zero = frame.filter(pl.col("status") == "at zero")
    failed = frame.filter(~pl.col("converged")).unique(["scope", "fit"], maintain_order=True)
    remarks = {
        "Estimated as zero (the fit found no variance beyond the other components)": [
            f"{component} ({fit}, {scope})"
            for scope, fit, component in at_zero.select("scope", "fit", "component").rows()
        ],
        "Not converged, so not reliable": [
            f"{fit}, {scope}" for scope, fit in failed.select("scope", "fit").iter_rows()
        ],
    }
    return tuple(f"{remark}: {'; '.join(fits)}." for remark, fits in remarks.items() if fits)
