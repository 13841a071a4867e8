"""``donorgrid check``: finds base, adapters and targets, has the targets answered, and judges the answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl

from donorgrid.check import CheckSettings, judge
from donorgrid.core.extras import require_training
from donorgrid.pipeline.check.answer_cache import Frames, answer_all
from donorgrid.pipeline.check.request import Checked, CheckRequest
from donorgrid.pipeline.check.strengths import curves, scaled_subjects, strengths_of
from donorgrid.pipeline.check.subjects import find_base, find_subjects
from donorgrid.pipeline.check.target_answers import judged_targets
from donorgrid.pipeline.check.targets import find_targets
from donorgrid.pipeline.session.devices import check_device


def run_check(request: CheckRequest, *, on_note: Callable[[str], None] = lambda _: None) -> Checked:
    """Check adapters against their base, item by item.

    Parameters
    ----------
    request : CheckRequest
        What is to be checked.
    on_note : callable
        Receives lines on the progress.

    Returns
    -------
    Checked
        The verdicts, and the answers that were judged.

    Raises
    ------
    InputError
        If the base, an adapter, a target or the device cannot be used.
    """
    require_training("check")
    check_device(request.device)  # a missing device is an error also when the cache has all answers
    targets = find_targets(request)
    base = find_base(request.base, folder=request.folder, tokenizer=request.tokenizer)
    subjects = find_subjects(request.adapters, base, folder=request.folder, chat_template=request.chat_template)
    strengths = strengths_of(request)
    everybody = (*subjects, *scaled_subjects(subjects, base, strengths))
    frames, activation_notes = answer_all(request, base, everybody, targets, on_note=on_note)
    all_answers, notes = judged_targets(targets, base, everybody, frames, metric=request.metric)
    answers = [replace(target, adapters=target.adapters[: len(subjects)]) for target in all_answers]
    settings = CheckSettings(limit_pp=-request.limit + 0.0)
    result = judge(
        base.name,
        [subject.name for subject in subjects],
        answers,
        settings,
        notes=(*activation_notes, *notes, *_precision_notes(request, frames)),
    )
    by_strength = curves(subjects, strengths, all_answers, settings, chooses=request.find_strength)
    return Checked(result=replace(result, strengths=by_strength), targets=tuple(answers))


def _precision_notes(request: CheckRequest, frames: Frames) -> Iterator[str]:
    """How many items kept the log-likelihoods of bf16, where most are scored so."""
    if request.exact_and_fast:
        scored = pl.concat([frame["loglik_precision"] for of_subject in frames.values() for frame in of_subject])
        n_scored, n_in_bf16 = scored.count(), int(scored.eq("bf16").sum())
        if n_scored:
            yield (
                f"exact and fast: {100 * n_in_bf16 / n_scored:.0f}% of the answers were computed with products in "
                "bf16; the others, where that could change the chosen option, in float32"
            )
