"""``donorgrid check``: find base, adapters and targets, have them answered, and judge the answers."""

from collections.abc import Callable, Sequence

from donorgrid.check import CheckSettings, TargetAnswers, judge
from donorgrid.core.extras import require_training
from donorgrid.pipeline.check.answer_cache import CheckEngine, check_device
from donorgrid.pipeline.check.request import Checked, CheckRequest
from donorgrid.pipeline.check.settings import EngineSettings
from donorgrid.pipeline.check.subjects import CheckSubject, find_base, find_subjects
from donorgrid.pipeline.check.target_answers import target_answers
from donorgrid.pipeline.check.targets import CheckTarget, find_targets


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
