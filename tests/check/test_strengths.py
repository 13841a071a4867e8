"""The curve of an adapter over its strengths, and the largest safe one: chosen on one half, reported on the other."""

import numpy as np
import pytest
from answers_by_hand import subject_answers, target_answers

from donorgrid.check import CheckSettings, StrengthCurve, strength_curve
from donorgrid.check.halves import split_in_halves
from donorgrid.check.strength_words import choice_sentence, curve_rows
from donorgrid.statistics.flips import difference_interval

SETTINGS = CheckSettings(limit_pp=1.0)
STRENGTHS = {1.0: 0, 0.25: 1, 0.5: 2, 1.5: 3}
"""Each with its position in the answers: the adapter itself comes first."""


def curve(guard: list[tuple[int, int]], on: list[tuple[int, int]] | None = None, n_items: int = 2000) -> StrengthCurve:
    targets = [
        target_answers("guard/de", *guard, n_items=n_items),
        target_answers("guard/en", *[(0, 0)] * 4, n_items=n_items),
    ]
    if on is not None:
        targets.append(target_answers("on/de", *on, role="on", n_items=n_items))
    return strength_curve("mine", STRENGTHS, targets, SETTINGS, chooses=True)


def test_the_points_are_the_verdicts_of_each_strength_in_order() -> None:
    found = curve([(0, 80), (0, 0), (0, 20), (0, 200)], [(100, 0), (20, 0), (60, 0), (120, 0)])
    assert [point.strength for point in found.points] == [0.25, 0.5, 1.0, 1.5]
    assert [point.gain_pp for point in found.points] == pytest.approx([1.0, 3.0, 5.0, 6.0])
    assert [point.worst_pp for point in found.points] == pytest.approx([0.0, -1.0, -4.0, -10.0])
    assert [point.joint for point in found.points] == ["safe", "undecided", "harmed", "harmed"]
    assert {point.worst_guard for point in found.points[1:]} == {"guard/de"}


def test_the_largest_safe_strength_is_taken_and_its_gain_is_that_of_the_other_half() -> None:
    found = curve([(0, 80), (0, 0), (2, 2), (0, 200)], [(100, 0), (20, 0), (60, 0), (120, 0)])
    choice = found.choice
    assert (choice.strength, choice.reported_on.joint) == (0.5, "safe")
    target = target_answers("on/de", (100, 0), (20, 0), (60, 0), (120, 0), role="on", n_items=2000)
    _, (other,) = split_in_halves([target])
    expected = difference_interval([(other.base.correct, other.adapters[2].correct)], [other.clusters], tail=0.05)
    reported = choice.reported_on
    assert (reported.gain_pp, reported.gain_low_pp, reported.gain_high_pp) == pytest.approx(expected)
    said = choice_sentence(found, 1.0)
    assert said.startswith(
        "mine: take strength 0.5: it is the largest at which every guard is safe. It was chosen on one half"
    )
    assert "(gained)" in said


def test_a_strength_above_1_needs_to_gain_more_than_1_itself() -> None:
    safe = [(0, 0)] * 4
    assert curve(safe, [(60, 0), (20, 0), (40, 0), (66, 0)]).choice.strength == 1.0
    found = curve(safe, [(60, 0), (20, 0), (40, 0), (200, 0)])
    assert found.choice.strength == 1.5
    assert "take strength 1.5, an extrapolation" in choice_sentence(found, 1.0)
    assert curve(safe).choice.strength == 1.0  # without a target to gain on there is no such evidence


def test_nothing_is_taken_where_a_smaller_strength_harms() -> None:
    found = curve([(0, 0), (0, 100), (0, 0), (0, 0)])
    assert found.choice.strength is None
    assert "no strength is recommended: none of those tried keeps every guard safe" in choice_sentence(found, 1.0)


def test_undecided_guards_say_how_many_items_would_decide() -> None:
    found = curve([(1, 1)] * 4, n_items=200)
    assert found.choice.strength is None
    assert found.choice.items_needed > 400
    assert f"About {found.choice.items_needed:,} items a guard would decide" in choice_sentence(found, 1.0)


def test_a_strength_that_harms_on_the_other_half_is_not_recommended() -> None:
    """The items of the half that chooses are all kept, those of the other are lost."""
    whole = target_answers("guard/de", *[(0, 0)] * 4, n_items=2000)
    chooses = set(split_in_halves([whole])[0][0].item_ids)
    lost = np.array([item_id not in chooses for item_id in whole.item_ids])
    harmed = subject_answers(whole.base.correct & ~lost, whole.gold)
    target = target_answers("guard/de", n_items=2000, adapters=[harmed] * 4)
    choice = strength_curve("mine", STRENGTHS, [target], SETTINGS, chooses=True).choice
    assert choice.strength is None
    assert "harms a guard on the other half" in choice.reason


def test_a_guard_without_skill_is_named() -> None:
    targets = [target_answers("guard/xx", *[(0, 0)] * 4, n_items=2000, base_right=500)]
    choice = strength_curve("mine", STRENGTHS, targets, SETTINGS, chooses=True).choice
    assert (choice.strength, choice.items_needed) == (None, None)
    assert "the base shows no skill is safe at no strength (guard/xx)" in choice.reason


def test_a_strength_is_not_taken_where_all_items_leave_a_guard_undecided() -> None:
    """On the half that chooses, the guard loses nothing; all items together say that it may have lost."""
    whole = target_answers("guard/de", *[(0, 0)] * 4, n_items=2000)
    chooses = set(split_in_halves([whole])[0][0].item_ids)
    rest = np.flatnonzero([item_id not in chooses for item_id in whole.item_ids] & whole.base.correct)
    lost = np.isin(np.arange(2000), rest[:15])
    doubtful = subject_answers(whole.base.correct & ~lost, whole.gold)
    target = target_answers("guard/de", n_items=2000, adapters=[doubtful] * 4)
    found = strength_curve("mine", STRENGTHS, [target], SETTINGS, chooses=True)
    assert {point.joint for point in found.points} == {"undecided"}
    assert found.choice.strength is None
    assert "and on all of them" in found.choice.reason


def test_with_too_few_items_no_strength_is_chosen() -> None:
    assert "fewer than 40 items" in curve([(0, 0)] * 4, n_items=30).choice.reason


def test_rows_label_what_is_extrapolated() -> None:
    rows = curve_rows(curve([(0, 0)] * 4), 1.0)
    assert [row[0] for row in rows] == ["0.25", "0.5", "1", "1.5 (extrapolation)"]
    assert rows[0][1:3] == ("", "")
