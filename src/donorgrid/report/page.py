"""From tables to one HTML page."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined

from donorgrid.core.printable_text import shown
from donorgrid.report.figures import dotplot, matrices, pareto
from donorgrid.report.figures.heatmap.sides import CELL
from donorgrid.report.figures.palette import DARK_RAMP, LIGHT_RAMP
from donorgrid.report.head import ReportHead
from donorgrid.report.headline import headline_tables
from donorgrid.report.known_tables import checked_tables
from donorgrid.report.sections.order import sections
from donorgrid.report.sections.section import Section
from donorgrid.report.summary import Summary, summary


def render_report(tables: Mapping[str, pl.DataFrame], head: ReportHead) -> str:
    """The report as one self-contained HTML page; equal input gives equal bytes.

    No statistic is computed here. The one average is the heat map's mean over models, cell by cell, named as such.

    Parameters
    ----------
    tables
        ``deltas`` (required) and any of ``regimes``, ``harm_breakdown``, ``mixes_controls``,
        ``roles_language``, ``roles_task``, ``roles_family``, ``matrix_language``, ``matrix_task``, ``pareto``,
        ``coverage``, ``intervals``, ``baselines``, ``agreement``, ``variance``, ``consistency``, ``noise``,
        ``linguistic``, ``sources``, ``choosing``, ``specific_regimes``, ``degenerate`` and ``shared_texts``, as
        ``core.tables`` declares them. ``<name>_sound`` takes the place of ``<name>`` where targets are degenerate. A
        section without its table is left out; unknown tables are ignored.
    head
        The study behind the tables.

    Returns
    -------
    str
        The page, with its styles, script and data inside.

    Raises
    ------
    InputError
        If ``deltas`` is absent, a table lacks declared columns, or a table has another harm limit than ``head``.
    """
    checked = headline_tables(checked_tables(tables, head))
    return render_page(head, summary=summary(checked, head), sections=sections(checked, head))


def render_page(head: ReportHead, *, summary: Summary | None, sections: Sequence[Section]) -> str:
    """Fill the page's template.

    Parameters
    ----------
    head
        Title and provenance.
    summary
        The first screen; None for a page of one section, which needs neither that nor the explanation of terms.
    sections
        In reading order.

    Returns
    -------
    str
        The page.
    """
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            head=head,
            summary=summary,
            sections=sections,
            light=LIGHT_RAMP,
            dark=DARK_RAMP,
            style=_text("report.css"),
            script=_text("report.js"),
            sizes={
                "cell": CELL,
                "row": dotplot.ROW_HEIGHT,
                "panel": pareto.PANEL_HEIGHT,
                "matrix_width": matrices.WIDTH,
                "matrix_height": matrices.HEIGHT,
            },
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("donorgrid.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    environment.policies["json.dumps_function"] = _json
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": True}
    return environment


def _finalized(value: Any) -> Any:
    return shown(value) if isinstance(value, str) else value


def _json(value: Any, **options: Any) -> str:
    return json.dumps(shown(value), **options)


@cache
def _text(name: str) -> str:
    return resources.files("donorgrid.report").joinpath("templates", name).read_text(encoding="utf-8")
