"""What a check says in words: one conclusion, and what to do next."""

from collections.abc import Iterator, Sequence

from donorgrid.check.formatting import MINUS, interval_pp, items, signed_pp
from donorgrid.check.records import AdapterVerdict, CheckResult, TargetVerdict

_LEVEL = 0.05
_FEW = 3


def conclusion(result: CheckResult) -> str:
    """One sentence on all adapters."""
    return " ".join(_on_adapter(one, result) for one in result.adapters)


def _on_adapter(adapter: AdapterVerdict, result: CheckResult) -> str:
    gains = [f"{signed_pp(one.delta_pp)} pp on {one.target} ({_gain_word(one)})" for one in adapter.on]
    said = [f"{adapter.name}:", ", ".join(gains) + ";" if gains else "", _on_guards(adapter, result)]
    return " ".join(part for part in said if part) + "."


def _gain_word(one: TargetVerdict) -> str:
    if one.same_as_base:
        return "the same answers as the base"
    return {"gained": "a gain", "lost": "a loss"}.get(one.verdict, "not shown to differ from 0")


def _on_guards(adapter: AdapterVerdict, result: CheckResult) -> str:
    guards = adapter.guards
    if not guards:
        return "nothing was guarded"
    by = {word: [one for one in guards if one.verdict == word] for word in ("harmed", "undecided", "safe")}
    if adapter.joint == "safe":
        return f"{_all(len(guards))} safe at a limit of {_limit(result)}"
    parts = [f"{len(found)} {word} ({_names(found)})" for word in ("harmed", "undecided") if (found := by[word])]
    return f"of {len(guards)} guard{'s' * (len(guards) > 1)} {len(by['safe'])} safe, " + ", ".join(parts)


def _all(n_guards: int) -> str:
    return "its one guard is" if n_guards == 1 else f"all {n_guards} guards are"


def _limit(result: CheckResult) -> str:
    return f"{MINUS}{result.settings.limit_pp:g} pp"


def _names(found: Sequence[TargetVerdict]) -> str:
    more = len(found) - _FEW
    return ", ".join(one.target for one in found[:_FEW]) + (f" and {more} more" if more > 0 else "")


def next_steps(result: CheckResult) -> tuple[str, ...]:
    """What to do next, a line each."""
    return tuple(dict.fromkeys(_steps(result)))


def _steps(result: CheckResult) -> Iterator[str]:
    for adapter in result.adapters:
        yield from _harm_steps(adapter)
        yield from _item_steps(adapter, result)
    degenerate = {one.target: one.degenerate for adapter in result.adapters for one in adapter.targets}
    for target, reason in degenerate.items():
        if reason is not None:
            yield f"{target} measures format, not skill: {reason}. Take another target in its place."
    if result.recommendation is not None:
        yield _recommended(result)


def _harm_steps(adapter: AdapterVerdict) -> Iterator[str]:
    harmed = [one for one in adapter.guards if one.verdict == "harmed"]
    if not harmed:
        return
    worst = min(harmed, key=lambda one: one.delta_pp)
    yield (
        f"{adapter.name} lost {worst.lost} and gained {worst.gained} of {worst.n_items:,} items on {worst.target}: "
        "do not ship it as it is; the page (--report) shows which."
    )
    weak = [one for one in harmed if one.harm_p_adjusted is not None and one.harm_p_adjusted > _LEVEL]
    if len(weak) == len(harmed):
        yield (
            f"{adapter.name}: among {len(adapter.guards)} guards one such loss may be luck "
            f"(p = {min(one.harm_p_adjusted or 1.0 for one in weak):.2f} after Holm): repeat it on fresh items."
        )


def _item_steps(adapter: AdapterVerdict, result: CheckResult) -> Iterator[str]:
    undecided = [one for one in adapter.guards if one.verdict == "undecided" and one.degenerate is None]
    known = [one for one in undecided if one.items_needed is not None]
    if known:
        most = max(known, key=lambda one: one.items_needed or 0)
        yield (
            f"{adapter.name}: about {items(most.items_needed)} items would decide {most.target} (it has "
            f"{most.n_items:,}) if its flips stay as measured"
            + ("; the others need no more." if len(known) > 1 else ".")
        )
    if len(undecided) > len(known):
        names = _names([one for one in undecided if one.items_needed is None])
        yield f"{adapter.name}: {names} stands at the limit of {_limit(result)} itself: more items will not decide it."


def _recommended(result: CheckResult) -> str:
    found = result.recommendation
    if found is None or found.name is None or found.honest_pp is None:
        return "No adapter is recommended: " + ("" if found is None else found.reason) + "."
    low, high = found.honest_low_pp or 0.0, found.honest_high_pp or 0.0
    return (
        f"Of the adapters take {found.name}: {found.reason}; chosen on one half of the items "
        f"({signed_pp(found.apparent_pp or 0.0)} pp there), the other half gives {signed_pp(found.honest_pp)} pp "
        f"{interval_pp(low, high)}"
        + ("" if found.joint is None else f" and calls its guards {found.joint}")
        + f"; best in {100 * (found.best_share or 0.0):.0f}% of random halves."
    )
