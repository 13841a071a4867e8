"""The result of a check as plain data, for ``--json``. docs/check.md describes every key."""

from dataclasses import asdict
from typing import Any

from donorgrid.check.results import AdapterVerdict, CheckResult
from donorgrid.check.sentences import conclusion, next_steps
from donorgrid.statistics.harm_probability import PRIOR

FORM = 2
"""Raised whenever a key is removed or changes its meaning."""


def to_json_data(result: CheckResult, *, exit_code: int) -> dict[str, Any]:
    """The result as data that ``json.dumps`` accepts.

    Parameters
    ----------
    result
        The whole check.
    exit_code
        The command's exit code.

    Returns
    -------
    dict
        Texts, numbers, truth values, lists and objects only.
    """
    return {
        "form": FORM,
        "base": result.base,
        "limit_pp": -result.settings.limit_pp,
        "confidence": result.settings.confidence,
        "harm_prior": PRIOR,
        "exit_code": exit_code,
        "conclusion": conclusion(result),
        "next": list(next_steps(result)),
        "adapters": [_adapter(adapter) for adapter in result.adapters],
        "broken_by_all": {target: list(item_ids) for target, item_ids in result.broken_by_all.items()},
        "comparisons": [asdict(comparison) for comparison in result.comparisons],
        "recommendation": None if result.recommendation is None else asdict(result.recommendation),
        "notes": list(result.notes),
        "strengths": [asdict(curve) for curve in result.strengths],
    }


def _adapter(adapter: AdapterVerdict) -> dict[str, Any]:
    return {"name": adapter.name, "joint": adapter.joint, "targets": [asdict(target) for target in adapter.targets]}
