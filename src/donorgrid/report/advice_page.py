"""A recommendation as a page of its own."""

from donorgrid.report.head import ReportHead
from donorgrid.report.page import render_page
from donorgrid.report.sections.advice import advice_section
from donorgrid.report.shown_advice import ShownAdvice


def render_advice(advice: ShownAdvice) -> str:
    """Returns a recommendation as one self-contained HTML page; equal input gives equal bytes."""
    head = ReportHead(
        title=f"{advice.model}: {advice.wish}",
        models=(advice.model,),
        tasks=(),
        languages=(),
        recipes=(),
        train_seeds=(),
        metric="",
        harm_limit_pp=0.0,
        n_cells_done=0,
        n_cells_planned=0,
    )
    section = advice_section([advice], with_labels=False)
    return render_page(head, summary=None, sections=() if section is None else (section,))
