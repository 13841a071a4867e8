"""``donorgrid check``: find base, adapters and targets, have them answered, and judge the answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from donorgrid.check import CheckResult, CheckSettings, TargetAnswers, judge
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.records import Metric, Precision
from donorgrid.pipeline.check.answers import target_answers
from donorgrid.pipeline.check.engine import CheckEngine, check_device
from donorgrid.pipeline.check.settings import EngineSettings
from donorgrid.pipeline.check.subjects import CheckSubject, find_base, find_subjects
from donorgrid.pipeline.check.targets import CheckTarget, TargetSpec, find_targets

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


def run_check(request: CheckRequest, *, on_note: Callable[[str], None] = lambda _: None) -> Checked:
    """Check adapters: all answers that are not in the cache are given first. InputError for what cannot be used."""
    require_training("check")
    check_device(request.device)
    settings = CheckSettings(limit_pp=-request.limit + 0.0)
    targets = find_targets(request.on, request.guard, folder=request.folder, most_items=request.items)
    base = find_base(request.base, folder=request.folder)
    subjects = find_subjects(request.adapters, base, folder=request.folder)
    judged, notes = _answered(request, base, subjects, targets, on_note)
    result = judge(base.name, [one.name for one in subjects], judged, settings, notes=notes)
    return Checked(result=result, targets=tuple(judged))


def _answered(
    request: CheckRequest,
    base: CheckSubject,
    subjects: Sequence[CheckSubject],
    targets: Sequence[CheckTarget],
    on_note: Callable[[str], None],
) -> tuple[list[TargetAnswers], tuple[str, ...]]:
    engine = CheckEngine(_engine_settings(request), on_note)
    # Checkpoints come last: each takes the place of the base in memory.
    order = sorted(subjects, key=lambda one: one.adapter is None)
    frames = {one.name: engine.answers(one, targets) for one in (base, *order)}
    same = [one.is_the_same_as(base) for one in subjects]
    judged: list[TargetAnswers] = []
    notes = [note for one in subjects for note in one.notes]
    notes += [note for one in targets for note in one.notes]
    for place, target in enumerate(targets):
        own = [frames[one.name][place] for one in subjects]
        found, said = target_answers(target, frames[base.name][place], own, same=same, metric=request.metric)
        judged += found
        notes += said
    return judged, tuple(dict.fromkeys(notes))


def _engine_settings(request: CheckRequest) -> EngineSettings:
    return EngineSettings(
        precision=request.precision,
        chat_template=request.chat_template,
        device=request.device,
        max_new_tokens=request.max_new_tokens,
        cache=request.cache.expanduser(),
    )
