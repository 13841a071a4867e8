"""The conclusion of a check, and the next steps."""

import re

from answers_by_hand import target_answers

from donorgrid.check import CheckSettings, judge, summary_lines

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
        "mine: +9.5 pp on on/de (a gain); of 5 guards, 1 is safe, 1 is harmed (a/de), "
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
    assert line == "mine: −9.5 pp on a/de (a loss); nothing was guarded."


def test_a_single_guard_that_is_not_safe_is_named() -> None:
    for changes, verdict in (((0, 50), "harmed"), ((10, 10), "undecided")):
        first, *_ = summary_lines(judge("base", ["mine"], [target_answers("a/de", changes)], SETTINGS))
        assert first == f"mine: its one guard is {verdict} (a/de)."


def test_a_single_harm_that_chance_explains_asks_for_fresh_items() -> None:
    targets = [target_answers("a/de", (0, 10)), *(target_answers(f"g{number}/de", (40, 0)) for number in range(12))]
    result = judge("base", ["mine"], targets, SETTINGS)
    assert result.adapters[0].guards[0].verdict == "harmed"
    assert "with 13 guards, one such loss may be chance" in " ".join(summary_lines(result))


def test_a_recommendation_states_both_halves() -> None:
    targets = [target_answers("on/de", (80, 0), (5, 0), role="on"), target_answers("a/de", (60, 0), (60, 0))]
    *_, last = summary_lines(judge("base", ["good", "weak"], targets, SETTINGS))
    assert last.startswith("next: Recommended adapter: good, because it gains most. It was chosen on one half")
    assert "with its guards safe. It is the best on 100% of random halves." in last
