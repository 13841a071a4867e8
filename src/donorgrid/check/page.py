"""The page of a check: one HTML file that asks nobody, with the items that changed side by side, escaped."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from donorgrid.check.changed_items import all_changes
from donorgrid.check.escaping import readable
from donorgrid.check.formatting import interval_pp, items, share, signed_pp
from donorgrid.check.records import CheckResult, TargetAnswers
from donorgrid.check.sentences import conclusion, next_steps


def render_page(result: CheckResult, targets: Sequence[TargetAnswers]) -> str:
    """The page as text; equal input gives equal bytes. ``targets`` are those that ``result`` judges."""
    return (
        _environment()
        .get_template("check.html.j2")
        .render(
            result=result,
            conclusion=conclusion(result),
            next_steps=next_steps(result),
            changes=[all_changes(targets, place) for place in range(len(result.adapters))],
            n_broken=sum(map(len, result.broken_by_all.values())),
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
    )
    environment.filters |= {"pp": signed_pp, "items": items, "visible": readable}
    environment.globals |= {"share": share, "interval": interval_pp}
    return environment
