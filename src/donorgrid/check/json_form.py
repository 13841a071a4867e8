"""The result of a check as plain data, for ``--json``; docs/check.md describes every key."""

from dataclasses import asdict
from typing import Any

from donorgrid.check.records import AdapterVerdict, CheckResult
from donorgrid.check.sentences import conclusion, next_steps

FORM = 1
"""Raised whenever a key changes its meaning or goes."""


def to_json_data(result: CheckResult, *, exit_code: int) -> dict[str, Any]:
    """The result as JSON-ready data."""
    return {
        "form": FORM,
        "base": result.base,
        "limit_pp": -result.settings.limit_pp,
        "confidence": result.settings.confidence,
        "exit_code": exit_code,
        "conclusion": conclusion(result),
        "next": list(next_steps(result)),
        "adapters": [_adapter(one) for one in result.adapters],
        "broken_by_all": {target: list(ids) for target, ids in result.broken_by_all.items()},
        "comparisons": [asdict(one) for one in result.comparisons],
        "recommendation": None if result.recommendation is None else asdict(result.recommendation),
        "notes": list(result.notes),
    }


def _adapter(one: AdapterVerdict) -> dict[str, Any]:
    return {"name": one.name, "joint": one.joint, "targets": [asdict(target) for target in one.targets]}
