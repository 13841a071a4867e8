"""A decision in words: what to do, what speaks against it, what was not tested."""

from collections.abc import Sequence
from dataclasses import dataclass

from donorgrid.advise.deciding import Decision
from donorgrid.advise.formatting import MINUS, signed_pp
from donorgrid.advise.items_needed import ItemsNeeded
from donorgrid.advise.judging import Judged
from donorgrid.advise.options import Evidence
from donorgrid.advise.wishes import Wish

_MOST_NAMED = 3
_FORMAT = "Every wanted target starts at chance or from one answer, so a gain there may be format and not skill."


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One sentence each; ``to_decide`` is empty where the items at hand could decide."""

    do: str
    against: str
    untested: str
    to_decide: str = ""


def advise(
    decision: Decision,
    wish: Wish,
    *,
    limits_of_evidence: Sequence[str] = (),
    items: ItemsNeeded | None = None,
    shows_format: bool = False,
) -> Advice:
    """Say a decision in words.

    Parameters
    ----------
    decision : Decision
        As ``decide`` gives it.
    wish : Wish
        What was asked.
    limits_of_evidence : sequence of str
        How this model, recipe, data or targets differ from what was measured, a clause each.
    items : ItemsNeeded, optional
        What would decide, where the items at hand could not.
    shows_format : bool
        True if every wanted target starts at chance or from one answer.

    Returns
    -------
    Advice
    """
    untested = [*_of_evidence(decision.chosen), *limits_of_evidence]
    return Advice(
        do=_what_to_do(decision, wish),
        against=_FORMAT if shows_format else _what_speaks_against(decision, wish),
        untested=_sentence("Not tested: " + "; ".join(untested)) if untested else "Everything named here was measured.",
        to_decide="" if items is None else _what_would_decide(items),
    )


def _what_to_do(decision: Decision, wish: Wish) -> str:
    chosen = decision.chosen
    if decision.action == "train" and chosen is not None:
        ties = f"; tied with {_named(decision.ties)}" if decision.ties else ""
        if chosen.option.comparator == "few-shot prompt":
            return (
                f"Do not train, prompt with {chosen.option.name}: {_gain(chosen, wish)}, {_risk(chosen, wish)}{ties}."
            )
        return f"Train on {_name(chosen, wish)}: {_gain(chosen, wish)}, {_risk(chosen, wish)}{ties}."
    nearest = (
        f" The least risky is {_name(chosen, wish)}: {_gain(chosen, wish)}, {_risk(chosen, wish)}." if chosen else ""
    )
    if decision.action == "measure first":
        return f"Measure more before training: no option is shown both to gain and to be safe.{nearest}"
    return (
        f"Do not train: nothing that is safe gains on {_wanted(wish)} with {wish.confidence:.0%} probability.{nearest}"
    )


def _what_speaks_against(decision: Decision, wish: Wish) -> str:
    chosen = decision.chosen
    if chosen is None:
        return f"No option has a {wish.confidence:.0%} interval above 0 on {_wanted(wish)}."
    if decision.action != "train":
        better = [judged for judged in decision.ranked if judged.gain_pp > chosen.gain_pp and judged is not chosen]
        return f"Larger gains, with more risk: {_named(better)}." if better else "No option has a larger expected gain."
    if chosen.option.trains_on(wish.wanted):
        others = [judged for judged in decision.ties if not judged.option.trains_on(wish.wanted)]
        as_good = f"; {_named(others)} may do as well" if others else ""
        return f"It trains on what is wanted itself, so the gain is not transfer{as_good}."
    if chosen.worst_guard is not None and chosen.p_harm_worst >= 1.0 - wish.confidence:
        return f"{chosen.worst_guard} is harmed with a probability of {chosen.p_harm_worst:.0%}."
    general = [part for part in chosen.specific if part.low_pp <= 0.0]
    if general:
        part = min(general, key=lambda specific: specific.gain_pp)
        return (
            f"The gain is not shown to be specific: {_interval(part.gain_pp, part.low_pp, part.high_pp, wish)} "
            f"beyond {part.against}."
        )
    if decision.ties:
        return f"The choice among {1 + len(decision.ties)} options is open: their gains are not told apart."
    if chosen.worst_guard is not None:
        return (
            f"The guard most at risk is {chosen.worst_guard}: harmed with a probability of {chosen.p_harm_worst:.0%}."
        )
    return "Nothing is guarded, so harm elsewhere was not judged."


def _what_would_decide(items: ItemsNeeded) -> str:
    perfect = (
        f"Even a perfect measurement with {items.n_items:,} items could not show that {items.option} gains and is safe"
    )
    if items.needed is None:
        return f"{perfect}, and no number of items could: training runs differ too much, so more seeds are needed."
    return f"{perfect}; about {_rounded(items.needed):,} items would."


def _rounded(number: int) -> int:
    """Two digits that count."""
    digits = max(len(str(number)) - 2, 0)
    return round(number, -digits)


def _of_evidence(chosen: Judged | None) -> list[str]:
    if chosen is None or chosen.option.evidence.rests_on == "measured":
        return []
    evidence = chosen.option.evidence
    missing = "was not scored on every target in question" if evidence.is_trained else "was not trained on this model"
    return [f"{chosen.option.name} {missing} ({rests_on(evidence)})"]


def rests_on(evidence: Evidence) -> str:
    """What a statement rests on, with its numbers: ``measured (400 items, 3 seeds)``."""
    if evidence.rests_on == "measured":
        counts = [_count(evidence.n_items, "item"), _count(evidence.n_seeds, "seed")]
        known = ", ".join(count for count in counts if count)
        return f"measured ({known})" if known else "measured"
    models = _count(evidence.n_models, "other model")
    if evidence.n_adapters:
        adapters = f"predicted from {_count(evidence.n_adapters, 'adapter')} of this model"
        return f"{adapters} and {models}" if models else adapters
    return f"predicted from {models or 'defaults'} only"


def _gain(judged: Judged, wish: Wish) -> str:
    kind = "worst gain on" if wish.worst else "expected gain on"
    gain = _interval(judged.gain_pp, judged.gain_low_pp, judged.gain_high_pp, wish)
    return f"{kind} {_wanted(wish)} {gain}"


def _interval(value: float, low: float, high: float, wish: Wish) -> str:
    return f"{signed_pp(value)} pp ({wish.confidence:.0%}: {signed_pp(low)} to {signed_pp(high)})"


def _risk(judged: Judged, wish: Wish) -> str:
    n = len(wish.guards)
    if not n:
        return "nothing guarded"
    if wish.all_guarded or wish.allow_harmed is not None:
        worst = f"expected worst loss {signed_pp(judged.expected_worst_pp)} pp"
        return f"{judged.expected_harmed:.1f} of {n} guards harmed in expectation, {worst}"
    guards = f"{wish.guards[0]} stays" if n == 1 else "both guards stay" if n == 2 else f"all {n} guards stay"
    return f"{guards} above {MINUS}{wish.limit_pp:g} pp with a probability of {judged.p_all_safe:.0%}"


def _wanted(wish: Wish) -> str:
    if len(wish.wanted) > _MOST_NAMED and set(wish.wanted) == set(wish.guards):
        return f"all {len(wish.wanted)} targets"
    names = [str(cell) for cell in wish.wanted]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _name(judged: Judged, wish: Wish) -> str:
    return f"{judged.option.name} (not transfer)" if judged.option.trains_on(wish.wanted) else judged.option.name


def _named(judged: Sequence[Judged]) -> str:
    names = [option.option.name for option in judged[:_MOST_NAMED]]
    more = len(judged) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _count(number: int | None, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}" if number else ""


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
