"""The report: one self-contained HTML page that shows the tables of a study. It computes no statistic."""

from donorgrid.report.head import Failure, ReportHead
from donorgrid.report.page import render_report

__all__ = ["Failure", "ReportHead", "render_report"]
