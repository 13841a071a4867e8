"""How the answers of a check are given, and where they are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from donorgrid.core.records import Precision
from donorgrid.pipeline.check.targets import CheckTarget


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How answers are given, and where they are kept. ``max_new_tokens``: of a reply to a prompt."""

    precision: Precision
    chat_template: bool
    device: str
    max_new_tokens: int
    cache: Path


def generation_of(target: CheckTarget, settings: EngineSettings) -> dict[str, Any]:
    """The stop strings and the longest answer of a target whose answers are generated."""
    if target.rules is None:
        return {"until": [], "max_new_tokens": settings.max_new_tokens}
    return {"until": list(target.rules.until), "max_new_tokens": target.rules.max_new_tokens}
