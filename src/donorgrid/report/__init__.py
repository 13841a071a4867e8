"""The report: the tables of a study as one self-contained HTML page. It computes no statistic.

``page.render_report`` checks the tables (``known_tables``), builds the summary and the sections, and fills
``templates/report.html.j2``. A section reads its tables, draws them with ``figures/`` (positions and colours, which a
template writes as SVG) and names its template, ``templates/sections/<kind>.html.j2``. Where a change belongs:

- a sentence or a large number at the top of the page: ``summary/``
- a new section: a function in ``sections/`` and a line in ``sections/order.py``
- what the heat map's tooltip says, such as n items: ``figures/heatmap/tooltip.py`` reads the value, ``tooltipLines`` in
  ``templates/report.js`` writes the words
- a table's headings: ``plain_tables.py``; how a number is written: ``formatting.py``; colours: ``figures/palette.py``
- explanations of terms: ``templates/reading.html.j2``
"""

from donorgrid.report.advice_page import render_advice
from donorgrid.report.head import Failure, ReportHead
from donorgrid.report.page import render_report
from donorgrid.report.shown_advice import ShownAdvice, ShownOption, ShownStep

__all__ = ["Failure", "ReportHead", "ShownAdvice", "ShownOption", "ShownStep", "render_advice", "render_report"]
