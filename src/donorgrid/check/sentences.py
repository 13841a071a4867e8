"""The conclusion of a check in words, and what to do next."""

from collections.abc import Iterator, Sequence

from donorgrid.check.formatting import MINUS, count, interval_pp, signed_pp
from donorgrid.check.results import AdapterVerdict, CheckResult, TargetVerdict
from donorgrid.check.verdict_words import (
    change_in_words,
    gain_in_words,
    interval_in_words,
    shown_without_skill,
    verdict_in_words,
)

_LEVEL = 0.05
_MOST_NAMED = 3


def conclusion(result: CheckResult) -> str:
    """One sentence on each adapter."""
    return " ".join(_on_adapter(adapter, result) for adapter in result.adapters)


def _on_adapter(adapter: AdapterVerdict, result: CheckResult) -> str:
    gains = [
        f"{signed_pp(target.delta_pp)} pp {interval_in_words(target, result.settings.limit_pp)} on {target.target} "
        f"({gain_in_words(target)})"
        for target in adapter.on
    ]
    parts = [f"{adapter.name}:", ", ".join(gains) + ";" if gains else "", _on_guards(adapter, result)]
    return " ".join(part for part in parts if part) + "."


def _on_guards(adapter: AdapterVerdict, result: CheckResult) -> str:
    guards = adapter.guards
    if not guards:
        return "nothing was guarded"
    if adapter.joint == "safe":
        everything = "its one guard is" if len(guards) == 1 else f"all {len(guards)} guards are"
        return f"{everything} safe at a limit of {_limit(result)}"
    if len(guards) == 1:
        return f"its one guard is {verdict_in_words(guards[0])} ({guards[0].target})"
    by_verdict = {
        verdict: [guard for guard in guards if guard.verdict == verdict] for verdict in ("safe", "harmed", "undecided")
    }
    parts = [_counted(len(by_verdict["safe"]), "safe")]
    parts += [
        f"{_counted(len(members), verdict)} ({_names(members)})"
        for verdict, members in by_verdict.items()
        if verdict != "safe" and members
    ]
    return f"of {len(guards)} guards, " + ", ".join(parts)


def _counted(number: int, verdict: str) -> str:
    return f"{number or 'none'} {'are' if number > 1 else 'is'} {verdict}"


def _limit(result: CheckResult) -> str:
    return f"{MINUS}{result.settings.limit_pp:g} pp"


def _names(targets: Sequence[TargetVerdict]) -> str:
    more = len(targets) - _MOST_NAMED
    named = ", ".join(target.target for target in targets[:_MOST_NAMED])
    return named + (f" and {more} more" if more > 0 else "")


def next_steps(result: CheckResult) -> tuple[str, ...]:
    """What to do next, a line each."""
    return tuple(dict.fromkeys(_steps(result)))


def _steps(result: CheckResult) -> Iterator[str]:
    for adapter in result.adapters:
        yield from _harm_steps(adapter)
        yield from _item_steps(adapter, result)
    for adapter in result.adapters:
        shown = (shown_without_skill(target, adapter.name) for target in adapter.targets)
        yield from (sentence for sentence in shown if sentence is not None)
    if result.recommendation is not None:
        yield _recommended(result)


def _harm_steps(adapter: AdapterVerdict) -> Iterator[str]:
    harmed = [guard for guard in adapter.guards if guard.verdict == "harmed"]
    if not harmed:
        return
    worst = min(harmed, key=lambda guard: guard.delta_pp)
    yield (
        f"{adapter.name} lost {worst.lost} and gained {worst.gained} of {worst.n_items:,} items on {worst.target}. "
        "Do not ship it as it is; read the items that it lost (--report writes a page of them)."
    )
    adjusted = [guard.p_value_harmed_adjusted for guard in harmed if guard.p_value_harmed_adjusted is not None]
    weak = [p_value for p_value in adjusted if p_value > _LEVEL]
    if len(weak) == len(harmed):
        yield (
            f"{adapter.name}: with {len(adapter.guards)} guards, one such loss may be chance "
            f"(p = {min(weak):.2f} after Holm's correction). Repeat the check on fresh items."
        )


def _item_steps(adapter: AdapterVerdict, result: CheckResult) -> Iterator[str]:
    undecided = [guard for guard in adapter.guards if guard.verdict == "undecided" and guard.degenerate is None]
    decidable = [guard for guard in undecided if guard.items_needed is not None]
    if decidable:
        most = max(decidable, key=lambda guard: guard.items_needed or 0)
        yield (
            f"{adapter.name}: about {count(most.items_needed)} items would decide {most.target} (it has "
            f"{most.n_items:,}), if answers keep changing at the measured rate"
            + ("; the other undecided guards need no more." if len(decidable) > 1 else ".")
        )
    if len(undecided) > len(decidable):
        names = _names([guard for guard in undecided if guard.items_needed is None])
        yield (
            f"{adapter.name}: the delta on {names} is at the limit of {_limit(result)} itself; more items will not "
            "decide it."
        )


def _recommended(result: CheckResult) -> str:
    choice = result.recommendation
    if choice is None or choice.name is None or choice.honest_pp is None:
        return "No adapter is recommended: " + ("" if choice is None else choice.reason) + "."
    low, high = choice.honest_low_pp or 0.0, choice.honest_high_pp or 0.0
    return (
        f"Recommended adapter: {choice.name}, because {choice.reason}. It was chosen on one half of the items "
        f"({signed_pp(choice.apparent_pp or 0.0)} pp there); the other half gives {signed_pp(choice.honest_pp)} pp "
        f"{interval_pp(low, high)} ({change_in_words(low, high)})"
        + ("" if choice.joint is None else f", with its guards {choice.joint}")
        + f". It is the best on {100 * (choice.best_share or 0.0):.0f}% of random halves."
    )
