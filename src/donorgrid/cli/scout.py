"""The subcommand that trains sources one after the other, those first that tell most."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from donorgrid import pipeline
from donorgrid.cli import options
from donorgrid.cli.progress import ProgressDisplay
from donorgrid.cli.recommend import show_recommendation, weights_of
from donorgrid.cli.show import make_console, show_json

if TYPE_CHECKING:
    from donorgrid.pipeline.advise.recommend import Recommendation

console = make_console()


def scout(
    study: options.Study,
    budget: Annotated[int, typer.Option(min=1, help="train at most so many sources")],
    wanted: options.WantedTargets = None,
    guard: options.GuardTargets = None,
    limit: options.GuardLimit = 1.0,
    confidence: options.Confidence = 0.9,
    allow_harmed: options.AllowHarmed = None,
    worst: options.WorstTarget = False,
    knowledge: options.Knowledge = None,
    out: options.Out = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    typology: options.Typology = False,
    as_json: options.Json = False,
) -> None:
    """Train the sources of a study that tell most, one after the other, and say what to train on.

    It stops when the budget is spent or more would not change the choice; started again, it goes on.
    """
    request = pipeline.advise.request.AdviceRequest(
        given=[study],
        wanted=weights_of(wanted),
        guards=guard or [],
        knowledge=knowledge or [],
        worst=worst,
        with_typology=typology,
        limit_pp=limit,
        confidence=confidence,
        allow_harmed=allow_harmed,
        budget=budget,
    )
    chosen = pipeline.run.options.RunOptions(device=device, jobs=jobs)
    with ProgressDisplay(console) as display:
        callbacks = pipeline.advise.scout.ScoutCallbacks(
            on_progress=display, on_note=display.note, on_round=lambda names, told: _tell_round(display, names, told)
        )
        scouted = pipeline.advise.scout.scout_study(study, request, out=out, options=chosen, callbacks=callbacks)
    if as_json:
        content = pipeline.advise.folder.as_json(scouted.recommendation)
        show_json({**content, "trained": list(scouted.trained), "stopped": scouted.stopped})
        return
    show_recommendation(scouted.recommendation, console)
    console.print(f"{len(scouted.trained)} of {budget} sources trained: {scouted.stopped}", soft_wrap=True)


def _tell_round(display: ProgressDisplay, names: Sequence[str], told: "Recommendation") -> None:
    decision = told.decision
    choice = f"; so far: {decision.action} {decision.chosen.option.name}" if decision.chosen else ""
    display.note(f"{len(names)} trained, last {names[-1]}{choice}")
