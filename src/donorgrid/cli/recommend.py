"""The subcommand that says what to train on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from donorgrid import pipeline
from donorgrid.advise.formatting import signed_pp
from donorgrid.cli import options
from donorgrid.cli.show import make_console, show_json
from donorgrid.core.errors import InputError

if TYPE_CHECKING:
    from donorgrid.advise.judging import Judged
    from donorgrid.advise.wishes import Wish
    from donorgrid.pipeline.advise.recommend import Recommendation

console = make_console()
_MOST_SHOWN = 10
_SHORT = {
    "measured": "measured",
    "predicted from this model's adapters": "its adapters",
    "predicted from other models": "other models",
}
"""What a statement rests on, in a column."""


def recommend(
    given: Annotated[
        list[Path] | None,
        typer.Argument(
            help="a study, or tables of deltas; without it a model that was never measured", show_default=False
        ),
    ] = None,
    wanted: Annotated[
        list[str] | None, typer.Option("--for", help="TASK/LANGUAGE to gain on; =WEIGHT may follow; may stand again")
    ] = None,
    guard: Annotated[
        list[str] | None, typer.Option(help="TASK/LANGUAGE that must not break, or all; may stand again")
    ] = None,
    limit: Annotated[float, typer.Option(min=0.0, help="harm is a true delta of minus this (pp) or worse")] = 1.0,
    confidence: Annotated[float, typer.Option(help="the probability that a statement must have")] = 0.9,
    allow_harmed: Annotated[
        int | None, typer.Option(min=0, help="so many guards may be harmed, in expectation")
    ] = None,
    worst: Annotated[bool, typer.Option("--worst", help="the worst wanted target counts, not their mean")] = False,
    knowledge: Annotated[
        list[Path] | None, typer.Option(help="a study or table of other models; may stand again")
    ] = None,
    model: Annotated[str | None, typer.Option(help="the model in question, where several were measured")] = None,
    family: Annotated[str | None, typer.Option(help="its family, such as Qwen2.5; default: by its name")] = None,
    as_json: options.Json = False,
) -> None:
    """Say what to train a model on, so that it gains where it should and breaks nothing else."""
    request = pipeline.advise.request.AdviceRequest(
        given=given or [],
        wanted=_weights(wanted),
        guards=guard or [],
        knowledge=knowledge or [],
        model=model,
        family=family,
        worst=worst,
        limit_pp=limit,
        confidence=confidence,
        allow_harmed=allow_harmed,
    )
    recommendation = pipeline.advise.recommend.recommend(request)
    if as_json:
        show_json(_as_json(recommendation))
        return
    for note in recommendation.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for sentence in (recommendation.advice.do, recommendation.advice.against, recommendation.advice.untested):
        console.print(sentence, soft_wrap=True)
    console.print(_table(recommendation))


def _weights(texts: list[str] | None) -> dict[str, float]:
    """``TASK/LANGUAGE=WEIGHT`` texts as weights; without a weight it is 1."""
    weights: dict[str, float] = {}
    for text in texts or []:
        name, equals, weight = text.partition("=")
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError:
            raise InputError(f"--for '{text}': the weight '{weight}' is not a number") from None
    return weights


def _table(recommendation: "Recommendation") -> Table:
    wish, ranked = recommendation.wish, recommendation.decision.ranked
    shown = _shown(recommendation)
    table = Table(title=f"{recommendation.model}: {len(shown)} of {len(ranked)} options, the best first")
    table.add_column("train on", overflow="fold")
    table.add_column("gain, pp", justify="right")
    table.add_column(f"{wish.confidence:.0%}", justify="right", no_wrap=True)
    if wish.guards:
        table.add_column("worst guard: harmed", overflow="fold")
        table.add_column("guards", no_wrap=True)
    table.add_column("rests on", overflow="fold")
    several = len({judged.option.recipe for judged in ranked}) > 1
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
    return [
        f"{label}, {option.recipe}" if with_recipe and option.recipe else label,
        signed_pp(judged.gain_pp),
        f"{signed_pp(judged.gain_low_pp)} to {signed_pp(judged.gain_high_pp)}",
        *guards,
        _SHORT[option.evidence.rests_on],
    ]


def _as_json(recommendation: "Recommendation") -> dict[str, Any]:
    decision, wish, advice = recommendation.decision, recommendation.wish, recommendation.advice
    return {
        "model": recommendation.model,
        "for": {str(cell): weight for cell, weight in wish.wanted.items()},
        "guards": [str(cell) for cell in wish.guards],
        "limit_pp": wish.limit_pp,
        "confidence": wish.confidence,
        "action": decision.action,
        "chosen": None if decision.chosen is None else decision.chosen.option.name,
        "ties": [judged.option.name for judged in decision.ties],
        "do": advice.do,
        "against": advice.against,
        "untested": advice.untested,
        "options": [_option_as_json(judged) for judged in decision.ranked],
        "notes": list(recommendation.notes),
    }


def _option_as_json(judged: "Judged") -> dict[str, Any]:
    option = judged.option
    return {
        "name": option.name,
        "recipe": option.recipe,
        "comparator": option.comparator,
        "gain_pp": judged.gain_pp,
        "gain_low_pp": judged.gain_low_pp,
        "gain_high_pp": judged.gain_high_pp,
        "p_gain": judged.p_gain,
        "worst_guard": None if judged.worst_guard is None else str(judged.worst_guard),
        "p_harm_worst": judged.p_harm_worst,
        "p_all_safe": judged.p_all_safe,
        "expected_harmed": judged.expected_harmed,
        "expected_worst_pp": judged.expected_worst_pp,
        "verdict": judged.safety,
        "rests_on": option.evidence.rests_on,
        "n_items": option.evidence.n_items,
        "n_seeds": option.evidence.n_seeds,
        "n_adapters": option.evidence.n_adapters,
        "n_models": option.evidence.n_models,
    }
