"""The conclusion of a check, and the next steps."""

import hashlib
import re
from collections import Counter

import numpy as np
import pytest
from answers_by_hand import subject_answers, target_answers

from donorgrid.check import CheckSettings, judge, summary_lines
from donorgrid.check.verdict_words import NOT_SHOWN, gain_in_words, interval_in_words, shown_without_skill

SETTINGS = CheckSettings(limit_pp=1.0)


def test_the_conclusion_is_one_sentence_and_the_next_steps_follow() -> None:
    targets = [
        target_answers("on/de", (40, 2), role="on"),
        target_answers("a/de", (0, 50)),
        target_answers("b/de", (10, 10)),
        target_answers("c/de", (4, 8)),
        target_answers("d/de", (0, 60), base_right=100),
        target_answers("e/de", (40, 0)),
    ]
    lines = summary_lines(judge("base", ["mine"], targets, SETTINGS))
    assert lines[0] == (
        "mine: +9.5 pp [+7.1, +12.3] on on/de (gained); of 5 guards, 1 is safe, 1 is harmed (a/de), "
        "3 are undecided (b/de, c/de, d/de)."
    )
    steps = " ".join(lines[1:])
    assert "mine lost 50 and gained 0 of 400 items on a/de. Do not ship it as it is" in steps
    assert re.search(r"about 3,0\d{2} items would decide b/de \(it has 400\)", steps)
    assert "the delta on c/de is at the limit of −1 pp itself" in steps
    assert "d/de measures format, not skill" in steps


def test_safe_and_unguarded_adapters_have_a_conclusion_of_one_line() -> None:
    assert summary_lines(judge("base", ["mine"], [target_answers("a/de", (40, 0))], SETTINGS)) == [
        "mine: its one guard is safe at a limit of −1 pp."
    ]
    (line,) = summary_lines(judge("base", ["mine"], [target_answers("a/de", (2, 40), role="on")], SETTINGS))
    assert line == "mine: −9.5 pp [−12.3, −7.1] on a/de (lost); nothing was guarded."


def test_a_single_guard_that_is_not_safe_is_named() -> None:
    for changes, verdict in (((0, 50), "harmed"), ((10, 10), "undecided")):
        first, *_ = summary_lines(judge("base", ["mine"], [target_answers("a/de", changes)], SETTINGS))
        assert first == f"mine: its one guard is {verdict} (a/de)."


def test_a_gain_from_chance_is_a_gain() -> None:
    on = target_answers("on/de", (340, 10), role="on", base_right=100, n_items=450)
    result = judge("base", ["mine"], [on], SETTINGS)
    (target,) = result.adapters[0].on
    assert (target.verdict, target.base_state) == ("gained", "at chance")
    first, step = summary_lines(result)
    assert re.fullmatch(
        r"mine: \+73\.3 pp \[\+\d\d\.\d, \+\d\d\.\d\] on on/de \(gained, from chance\); nothing was guarded\.", first
    )
    assert "is not above chance (25.0%). mine gained from there, [+" in step


def test_a_guard_at_chance_says_what_it_can_and_cannot_show() -> None:
    for changes, shows in (((0, 60), "fell"), ((60, 0), "rose"), ((5, 5), "does not show that the score changed")):
        guard = target_answers("g/de", changes, base_right=100)
        lines = summary_lines(judge("base", ["mine"], [guard], SETTINGS))
        assert lines[0] == "mine: its one guard is undecided, at chance (g/de)."
        assert shows in lines[1]
        assert "that a skill was kept or lost cannot be shown where the base has none" in lines[1]


def test_the_other_half_may_speak_against_the_best_adapter() -> None:
    """The half of an item depends on its ID: the adapter gains where it is chosen and loses where it is measured."""
    ids = [f"q{number}" for number in range(400)]
    first_half = np.array([hashlib.sha256(item_id.encode()).digest()[0] % 2 == 0 for item_id in ids])
    base, gold = np.arange(400) % 2 == 0, np.arange(400) % 4
    turned = subject_answers(first_half, gold)
    on = target_answers("on/de", role="on", base=subject_answers(base, gold), adapters=[turned, turned])
    *_, last = summary_lines(judge("base", ["good", "weak"], [on], SETTINGS))
    assert last == (
        "next: No adapter is recommended: good is the best on one half of the items and loses on the other half."
    )


def random_target(rng: np.random.Generator, role: str):
    n_items = int(rng.choice([20, 60, 400]))
    base_right = int(rng.binomial(n_items, rng.choice([0.1, 0.25, 0.5, 0.9])))
    lost = int(rng.binomial(base_right, rng.choice([0.0, 0.02, 0.2, 0.9])))
    gained = int(rng.binomial(n_items - base_right, rng.choice([0.0, 0.02, 0.2, 0.9])))
    cluster = np.arange(n_items) // int(rng.choice([1, 1, 4]))
    return target_answers(
        "t/de", (gained, lost), role=role, n_items=n_items, base_right=base_right, clusters=cluster.astype(str)
    )


def printed_ends(text: str) -> tuple[float, float]:
    low, high = re.search(r"\[([−+\d.]+), ([−+\d.]+)\]", text).groups()
    return float(low.replace("−", "-")), float(high.replace("−", "-"))


@pytest.mark.parametrize("role", ["on", "guard"])
def test_no_word_contradicts_the_interval_that_is_printed_with_it(role: str) -> None:
    rng = np.random.default_rng(8)
    words = Counter()
    for _ in range(100):
        settings = CheckSettings(limit_pp=float(rng.choice([0.25, 1.0, 5.0])))
        (target,) = judge("base", ["mine"], [random_target(rng, role)], settings).adapters[0].targets
        low, high = printed_ends(interval_in_words(target, settings.limit_pp))
        assert low <= round(target.delta_pp, 1) <= high
        edge = -settings.limit_pp if role == "guard" else 0.0
        side = {True: {"safe": 1, "harmed": -1}, False: {"gained": 1, "lost": -1}}[role == "guard"].get(
            target.verdict, 0
        )
        if role == "on" or target.degenerate is None:
            assert (low > edge) == (side == 1)
            assert (high < edge) == (side == -1)
        else:
            assert target.verdict == "undecided"
            text = shown_without_skill(target, "mine")
            low, high = printed_ends(text)
            assert (low > 0) == ("the score rose" in text)
            assert (high < 0) == ("the score fell" in text)
        if role == "on":
            assert (NOT_SHOWN in gain_in_words(target)) == (low <= 0 <= high)
        words[target.verdict, target.degenerate is None] += 1
    assert len(words) == {"on": 6, "guard": 4}[role]


def test_a_single_harm_that_chance_explains_asks_for_fresh_items() -> None:
    targets = [target_answers("a/de", (0, 10)), *(target_answers(f"g{number}/de", (40, 0)) for number in range(12))]
    result = judge("base", ["mine"], targets, SETTINGS)
    assert result.adapters[0].guards[0].verdict == "harmed"
    assert "with 13 guards, one such loss may be chance" in " ".join(summary_lines(result))


def test_a_recommendation_states_both_halves() -> None:
    targets = [target_answers("on/de", (80, 0), (5, 0), role="on"), target_answers("a/de", (60, 0), (60, 0))]
    *_, last = summary_lines(judge("base", ["good", "weak"], targets, SETTINGS))
    assert last.startswith("next: Recommended adapter: good, because it gains most. It was chosen on one half")
    assert "(gained), with its guards safe. It is the best on 100% of random halves." in last
