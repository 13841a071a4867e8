"""The page of a check: one HTML file that loads nothing, with the changed items side by side, all text escaped."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from donorgrid.check.changed_items import all_changes
from donorgrid.check.formatting import count, interval_pp, percent, probability, signed_pp, targets_in_words
from donorgrid.check.inputs import TargetAnswers
from donorgrid.check.results import CheckResult
from donorgrid.check.sentences import conclusion, next_steps
from donorgrid.check.strength_words import HEADINGS, choice_sentence, curve_rows
from donorgrid.check.verdict_words import interval_in_words, verdict_in_words
from donorgrid.core.printable_text import readable, shown
from donorgrid.statistics.harm_probability import PRIOR


def render_page(result: CheckResult, targets: Sequence[TargetAnswers]) -> str:
    """The page as text; equal input gives equal bytes.

    Parameters
    ----------
    result
        The whole check.
    targets
        The answers that ``result`` judges.

    Returns
    -------
    str
        HTML with its styles inside.
    """
    separate = [target for target in targets if not target.pooled]
    return (
        _environment()
        .get_template("check.html.j2")
        .render(
            result=result,
            conclusion=conclusion(result),
            next_steps=next_steps(result),
            changes=[all_changes(separate, index) for index in range(len(result.adapters))],
            n_broken_by_all=sum(map(len, result.broken_by_all.values())),
            style=resources.files("donorgrid.check").joinpath("templates", "check.css").read_text(encoding="utf-8"),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("donorgrid.check"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if isinstance(value, str) else value,
    )
    environment.filters |= {"pp": signed_pp, "number": count, "visible": readable}
    environment.globals |= {
        "curve_rows": curve_rows,
        "choice_sentence": choice_sentence,
        "strength_headings": HEADINGS,
        "percent": percent,
        "probability": probability,
        "interval": interval_pp,
        "interval_of": interval_in_words,
        "verdict_of": verdict_in_words,
        "harm_prior": PRIOR,
        "targets_in_words": targets_in_words,
    }
    return environment
