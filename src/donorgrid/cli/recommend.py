"""The subcommand that says what to train on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from donorgrid import pipeline
from donorgrid.advise.formatting import signed_pp
from donorgrid.cli import options
from donorgrid.cli.show import make_console, show_json
from donorgrid.core.errors import InputError

if TYPE_CHECKING:
    from donorgrid.advise.judging import Judged
    from donorgrid.advise.next_step import NextStep
    from donorgrid.advise.wishes import Wish
    from donorgrid.pipeline.advise.next_study import NextStudy
    from donorgrid.pipeline.advise.recommend import Recommendation
    from donorgrid.pipeline.advise.request import AdviceRequest

console = make_console()
_MOST_SHOWN = 10
_SHOWN_NEXT = 3
_SHORT = {
    "measured": "measured",
    "predicted from this model's adapters": "adapters",
    "predicted from other models": "others",
}
"""What a statement rests on, in a column."""


def recommend(
    given: Annotated[
        list[Path] | None,
        typer.Argument(
            help="a study, or tables of deltas; without it a model that was never measured", show_default=False
        ),
    ] = None,
    wanted: options.WantedTargets = None,
    guard: options.GuardTargets = None,
    limit: options.GuardLimit = 1.0,
    confidence: options.Confidence = 0.9,
    allow_harmed: options.AllowHarmed = None,
    worst: options.WorstTarget = False,
    knowledge: options.Knowledge = None,
    model: Annotated[str | None, typer.Option(help="the model in question, where several were measured")] = None,
    family: Annotated[str | None, typer.Option(help="its family, such as Qwen2.5; default: by its name")] = None,
    n_next: Annotated[
        int,
        typer.Option("--next", min=0, help="plan so many measurements that improve the decision most for their cost"),
    ] = 0,
    budget: Annotated[
        float | None, typer.Option(min=1, help="fine-tunes you can pay for: plan those that are worth it")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="folder for advice.json, options.csv, next.yaml and the page; default: advice, if needed"),
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="write the page report.html")] = False,
    typology: options.Typology = False,
    as_json: options.Json = False,
) -> None:
    """Say what to train a model on, so that it gains where it should and breaks nothing else.

    For example: donorgrid recommend results.csv --model llama-1b --for arc/de --guard arc/en --report
    """
    request = pipeline.advise.request.AdviceRequest(
        given=given or [],
        wanted=weights_of(wanted),
        guards=guard or [],
        knowledge=knowledge or [],
        model=model,
        family=family,
        worst=worst,
        with_typology=typology,
        limit_pp=limit,
        confidence=confidence,
        allow_harmed=allow_harmed,
        n_next=n_next or (_SHOWN_NEXT if report and budget is None else 0),
        budget=budget,
    )
    recommendation = pipeline.advise.recommend.recommend(request)
    folder = out or (pipeline.advise.folder.ADVICE_FOLDER if report or n_next or budget is not None else None)
    studies = [] if folder is None else pipeline.advise.folder.write_recommendation(recommendation, folder)
    page = (
        pipeline.advise.page.write_page(recommendation, folder, studies=studies)
        if report and folder is not None
        else None
    )
    if as_json:
        show_json(pipeline.advise.folder.as_json(recommendation))
        return
    show_recommendation(recommendation, console)
    _tell_next(recommendation, studies)
    if folder is not None:
        written = f"page: {page.resolve()}" if page else f"written: {folder}"
        console.print(written, soft_wrap=True)


def show_recommendation(recommendation: "Recommendation", console: Console) -> None:
    """Print notes, sentences and options.

    Parameters
    ----------
    recommendation : Recommendation
        What to print.
    console : Console
        Where.
    """
    for note in recommendation.notes:
        console.print(f"note: {note}", soft_wrap=True)
    advice = recommendation.advice
    for sentence in (advice.do, advice.against, advice.untested, advice.to_decide):
        if sentence:
            console.print(sentence, soft_wrap=True)
    console.print(_table(recommendation))
    for comparator in recommendation.missing:
        console.print(f"not compared: {comparator}", soft_wrap=True)


def _tell_next(recommendation: "Recommendation", studies: "list[NextStudy]") -> None:
    """What to measure next, and the studies that do it."""
    steps = recommendation.next_steps
    if not steps:
        if recommendation.budget is not None:
            console.print("no measurement is expected to improve the decision by as much as it costs", soft_wrap=True)
        elif recommendation.decision.action == "measure first":
            console.print("--next 3 says what to measure first", soft_wrap=True)
        return
    console.print(_step_table(steps))
    console.print("better choice: the expected rise of what the chosen option is worth, after all steps up to this one")
    for study in studies:
        console.print(f"next: {study.command}", soft_wrap=True)
    if not studies:
        console.print("name the model with --model ID, and a study file is written", soft_wrap=True)


def weights_of(texts: list[str] | None) -> dict[str, float]:
    """``TASK/LANGUAGE=WEIGHT`` texts as weights; without a weight it is 1."""
    weights: dict[str, float] = {}
    for text in texts or []:
        name, equals, weight = text.partition("=")
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError:
            raise InputError(f"--for '{text}': the weight '{weight}' is not a number") from None
    return weights


def report_request(
    given: list[Path], wanted: list[str] | None, guards: list[str] | None, *, model: str | None, harm: float | None
) -> "AdviceRequest":
    """What the section of a report on what to train on is asked.

    Parameters
    ----------
    given : list of Path
        As ``report`` takes it.
    wanted, guards : list of str, optional
        As the options name them.
    model : str, optional
        The model in question.
    harm : float, optional
        The limit in pp.

    Returns
    -------
    AdviceRequest
    """
    return pipeline.advise.request.AdviceRequest(
        given=given,
        wanted=weights_of(wanted),
        guards=guards or [],
        model=model,
        limit_pp=1.0 if harm is None else harm,
        n_next=_SHOWN_NEXT,
    )


def _table(recommendation: "Recommendation") -> Table:
    wish, ranked = recommendation.wish, recommendation.decision.ranked
    shown = _shown(recommendation)
    title = f"{recommendation.model}: {len(shown)} of {len(ranked)} options, the best first"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("train on", overflow="fold")
    table.add_column("gain, pp", justify="right")
    table.add_column(f"{wish.confidence:.0%} interval", justify="right", no_wrap=True)
    if wish.guards:
        table.add_column("most at risk: harmed", overflow="fold")
        table.add_column("guards", no_wrap=True)
    table.add_column("rests on", overflow="fold")
    several = len({judged.option.recipe for judged in ranked if judged.option.recipe}) > 1
    for judged in shown:
        table.add_row(*_row(judged, wish, with_recipe=several))
    return table


def _shown(recommendation: "Recommendation") -> "list[Judged]":
    """The best options, then the comparators that are not among them."""
    ranked = recommendation.decision.ranked
    best = list(ranked[:_MOST_SHOWN])
    return best + [judged for judged in ranked[_MOST_SHOWN:] if judged.option.comparator is not None]


def _row(judged: "Judged", wish: "Wish", *, with_recipe: bool) -> list[str]:
    option = judged.option
    label = f"{option.name} [{option.comparator}]" if option.comparator not in (None, option.name) else option.name
    guards = [f"{judged.worst_guard}: {judged.p_harm_worst:.0%}", judged.safety] if wish.guards else []
    rests_on = "" if option.comparator == "no training" else _SHORT[option.evidence.rests_on]
    return [
        f"{label}, {option.recipe}" if with_recipe and option.recipe else label,
        signed_pp(judged.gain_pp),
        f"{signed_pp(judged.gain_low_pp)} to {signed_pp(judged.gain_high_pp)}",
        *guards,
        rests_on,
    ]


def _step_table(steps: "Sequence[NextStep]") -> Table:
    """Returns the measurements that come next as a table."""
    table = Table(title="what to measure next", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("measure", overflow="fold")
    table.add_column("cost, fine-tunes", justify="right")
    table.add_column("better choice, pp", justify="right")
    for step in steps:
        measurement = step.measurement
        label = f"{measurement.kind}: {measurement.label}"
        table.add_row(label, f"{measurement.cost:.1f}", signed_pp(step.improvement_pp))
    return table
