"""Does an adapter break anything? Item answers of a base and its adapters in; verdicts, comparisons and a page out."""

from donorgrid.check.exits import exit_code
from donorgrid.check.json_form import as_plain
from donorgrid.check.judge import judge
from donorgrid.check.page import render_page
from donorgrid.check.records import (
    AdapterVerdict,
    CheckResult,
    CheckSettings,
    SubjectAnswers,
    TargetAnswers,
    TargetVerdict,
)
from donorgrid.check.replies import CHECKS, Identify, Reply, judged_replies
from donorgrid.check.terminal import WIDTH, result_table, summary_lines
from donorgrid.check.texts import printable

__all__ = [
    "CHECKS",
    "WIDTH",
    "AdapterVerdict",
    "CheckResult",
    "CheckSettings",
    "Identify",
    "Reply",
    "SubjectAnswers",
    "TargetAnswers",
    "TargetVerdict",
    "as_plain",
    "exit_code",
    "judge",
    "judged_replies",
    "printable",
    "render_page",
    "result_table",
    "summary_lines",
]
