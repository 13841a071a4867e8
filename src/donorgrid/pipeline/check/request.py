"""What a check is asked to do, and its result."""

from dataclasses import dataclass, field
from pathlib import Path

from donorgrid.check import CheckResult, TargetAnswers
from donorgrid.core.errors import InputError
from donorgrid.core.records import Metric, Precision
from donorgrid.pipeline.check.targets import TargetSpec

DEFAULT_CACHE = Path("~/.cache/donorgrid/check")


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """What is to be checked, as the command line, a YAML file or a Python caller says it.

    ``limit`` (pp, 0 or less): a guard may lose less than that. ``items``: at most so many per target, the first ones.
    ``folder``: what relative paths are relative to.
    """

    base: str
    adapters: tuple[str, ...]
    on: tuple[TargetSpec, ...] = ()
    guard: tuple[TargetSpec, ...] = ()
    limit: float = -1.0
    items: int | None = None
    metric: Metric = "acc_norm"
    precision: Precision = "fp32"
    chat_template: bool = False
    max_new_tokens: int = 128
    device: str = "auto"
    cache: Path = DEFAULT_CACHE
    folder: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        if not -100 <= self.limit <= 0:
            raise InputError(
                f"limit {self.limit:g}: expected a change in percentage points from -100 to 0, such as -1.0"
            )
        for name, value in (("items", self.items), ("max_new_tokens", self.max_new_tokens)):
            if value is not None and value < 1:
                raise InputError(f"{name} {value}: expected 1 or more")
        if not self.adapters:
            raise InputError("nothing to check: name at least one adapter, checkpoint or BASE@revision after the base")
        if not (self.on or self.guard):
            raise InputError("nothing to check on: give --on or --guard a task (belebele:de,hi) or a data file")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The result of a check, with the answers that it judges, for the page."""

    result: CheckResult
    targets: tuple[TargetAnswers, ...]
