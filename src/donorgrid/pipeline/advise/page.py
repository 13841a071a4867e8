"""A recommendation on a page: of its own, or as a section of a report."""

from collections.abc import Sequence
from pathlib import Path

from donorgrid.advise.formatting import MINUS, signed_pp
from donorgrid.advise.judging import Judged
from donorgrid.advise.sentences import rests_on
from donorgrid.advise.wishes import Wish
from donorgrid.core.atomic_files import make_folder, whole_file
from donorgrid.pipeline.advise.next_study import NextStudy
from donorgrid.pipeline.advise.recommend import Recommendation
from donorgrid.report import ShownAdvice, ShownOption, ShownStep, render_advice

PAGE = "report.html"
_MOST_NAMED = 2


def write_page(recommendation: Recommendation, folder: Path, *, studies: Sequence[NextStudy] = ()) -> Path:
    """Write a recommendation as ``report.html``.

    Parameters
    ----------
    recommendation : Recommendation
        What to show.
    folder : Path
        Where; it may exist.
    studies : sequence of NextStudy
        The studies of what to measure next.

    Returns
    -------
    Path
        The page.
    """
    make_folder(folder)
    with whole_file(folder / PAGE) as unfinished:
        unfinished.write_text(render_advice(shown_advice(recommendation, studies=studies)), encoding="utf-8")
    return folder / PAGE


def shown_advice(recommendation: Recommendation, *, studies: Sequence[NextStudy] = ()) -> ShownAdvice:
    """What a page shows of a recommendation.

    Parameters
    ----------
    recommendation : Recommendation
        What was computed.
    studies : sequence of NextStudy
        The studies of what to measure next.

    Returns
    -------
    ShownAdvice
    """
    wish, decision, advice = recommendation.wish, recommendation.decision, recommendation.advice
    sentences = (advice.do, advice.against, advice.untested, advice.to_decide)
    several = len({judged.option.recipe for judged in decision.ranked if judged.option.recipe}) > 1
    steps = [
        ShownStep(
            what=f"{step.measurement.kind}: {step.measurement.label}",
            cost=step.measurement.cost,
            worth_pp=step.improvement_pp,
        )
        for step in recommendation.next_steps
    ]
    return ShownAdvice(
        model=recommendation.model,
        wish=_wish_in_words(wish),
        sentences=tuple(sentence for sentence in sentences if sentence),
        options=tuple(
            _shown_option(judged, wish, with_recipe=several, is_chosen=judged is decision.chosen)
            for judged in decision.ranked
        ),
        confidence=wish.confidence,
        risk_name="guards harmed, expected share" if wish.expects_some_harm else "worst guard harmed, probability",
        risk_limit=_risk_limit(wish),
        steps=tuple(steps),
        commands=tuple(study.command for study in studies),
        missing=recommendation.missing,
    )


def _wish_in_words(wish: Wish) -> str:
    if len(wish.wanted) > _MOST_NAMED and set(wish.wanted) == set(wish.guards):
        return f"the mean over all {len(wish.wanted)} targets"
    wanted = [str(cell) for cell in wish.wanted]
    more = len(wanted) - _MOST_NAMED
    names = ", ".join(wanted[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    n = len(wish.guards)
    guards = f"{n} guard{'' if n == 1 else 's'} above {MINUS}{wish.limit_pp:g} pp" if n else "nothing guarded"
    return f"{names}, {guards}"


def _risk_limit(wish: Wish) -> float | None:
    if not wish.guards:
        return None
    return wish.n_allowed / len(wish.guards) if wish.expects_some_harm else 1.0 - wish.confidence


def _shown_option(judged: Judged, wish: Wish, *, with_recipe: bool, is_chosen: bool) -> ShownOption:
    option = judged.option
    share = judged.expected_harmed / len(wish.guards) if wish.guards else None
    notes = [str(option.comparator)] if option.comparator not in (None, option.name) else []
    notes += ["not transfer"] if option.trains_on(wish.wanted) else []
    notes += [option.recipe] if with_recipe and option.recipe else []
    return ShownOption(
        name=option.name,
        label=f"{option.name} ({', '.join(notes)})" if notes else option.name,
        gain_pp=judged.gain_pp,
        low_pp=judged.gain_low_pp,
        high_pp=judged.gain_high_pp,
        risk=share if wish.expects_some_harm else (judged.p_harm_worst if wish.guards else None),
        guard=""
        if judged.worst_guard is None or not option.cells
        else f"{judged.worst_guard}: {judged.p_harm_worst:.0%}",
        verdict=judged.safety,
        evidence="nothing is trained" if option.comparator == "no training" else rests_on(option.evidence),
        specific="; ".join(f"{signed_pp(part.gain_pp)} beyond {part.against}" for part in judged.specific),
        is_named=is_chosen or option.comparator is not None,
    )
