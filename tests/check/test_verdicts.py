"""Verdicts on a target and on a set of guards: by hand, at their edges, and on answers drawn with known effects."""

import numpy as np
import pytest
from answers_by_hand import target_answers

from donorgrid.check import CheckSettings
from donorgrid.check.verdicts import joint_over_guards, judge_target, with_adjusted_p_values
from donorgrid.statistics.flips import Flips, flips_of

SETTINGS = CheckSettings(limit_pp=1.0)


def judged(gained: int, lost: int, n_items: int = 400, **more: object):
    target = target_answers("t/de", (gained, lost), n_items=n_items, **more)
    return judge_target(target, target.adapters[0], SETTINGS)


def test_counts_and_delta_are_exact() -> None:
    result = judged(4, 8)
    assert (result.gained, result.lost, result.n_items) == (4, 8, 400)
    assert (result.n_right_base, result.n_right) == (266, 262)
    assert result.delta_pp == -1.0


@pytest.mark.parametrize(
    ("gained", "lost", "n_items", "verdict"),
    [
        (0, 40, 400, "harmed"),
        (40, 0, 400, "safe"),
        (4, 8, 400, "undecided"),
        (0, 0, 400, "safe"),
        (0, 0, 100, "undecided"),
    ],
)
def test_verdicts_on_a_guard(gained: int, lost: int, n_items: int, verdict: str) -> None:
    result = judged(gained, lost, n_items)
    assert result.verdict == verdict
    assert (result.low_pp > -1.0) == (verdict == "safe")
    assert (result.high_pp < -1.0) == (verdict == "harmed")
    assert (result.items_needed is not None) == (verdict == "undecided" and result.delta_pp != -1.0)


@pytest.mark.parametrize(("gained", "lost", "verdict"), [(40, 2, "gained"), (2, 40, "lost"), (9, 8, "undecided")])
def test_a_target_to_gain_on_is_held_against_zero(gained: int, lost: int, verdict: str) -> None:
    assert judged(gained, lost, role="on").verdict == verdict


def test_the_base_itself_is_safe_on_however_few_items_and_gains_nothing() -> None:
    for role, verdict in (("guard", "safe"), ("on", "undecided")):
        target = target_answers("t/de", role=role, n_items=30, adapters=[])
        result = judge_target(target, target.base, SETTINGS)
        assert (result.verdict, result.delta_pp, result.low_pp, result.high_pp) == (verdict, 0.0, 0.0, 0.0)
        assert result.items_needed is None


def test_a_degenerate_target_decides_nothing_and_says_why() -> None:
    result = judged(0, 60, n_items=400, base_right=100)
    assert result.verdict == "undecided"
    assert "not above chance" in (result.degenerate or "")
    assert result.items_needed is None


def test_a_target_at_chance_can_be_gained_on_and_lost_on() -> None:
    for (gained, lost), verdict in (((90, 2), "gained"), ((2, 90), "lost"), ((5, 5), "undecided")):
        result = judged(gained, lost, base_right=100, role="on")
        assert (result.verdict, result.base_state) == (verdict, "at chance")
        assert (result.items_needed is None) == (verdict != "undecided" or gained == lost)


def test_a_base_without_a_right_answer_has_nothing_to_lose() -> None:
    result = judged(0, 0, base_right=0, n_choices=np.zeros(400, dtype=int))
    assert (result.verdict, result.base_state, result.harm_probability) == ("undecided", "at zero", None)


def test_p_values_decide_and_the_probability_of_harm_goes_with_them() -> None:
    for (gained, lost), verdict in (((0, 40), "harmed"), ((40, 0), "safe"), ((4, 8), "undecided")):
        result = judged(gained, lost)
        assert (result.p_value_safe <= 0.05) == (verdict == "safe")
        assert (result.p_value_harmed <= 0.05) == (verdict == "harmed")
        low, high = {"safe": (0.0, 0.1), "harmed": (0.9, 1.0), "undecided": (0.1, 0.9)}[verdict]
        assert low <= result.harm_probability <= high
    assert judged(4, 8, role="on").harm_probability is None


def test_one_right_answer_for_every_item_is_degenerate() -> None:
    assert "same right answer, 'yes'" in (judged(0, 0, gold_labels=["yes"] * 400).degenerate or "")
    nearly = judged(0, 0, gold_labels=["yes"] * 360 + ["no"] * 40)
    assert "360 of 400 items have the same right answer, 'yes'" in (nearly.degenerate or "")
    assert judged(0, 0, gold_labels=["yes"] * 359 + ["no"] * 41).degenerate is None


def test_one_right_answer_is_degenerate_where_answers_are_generated() -> None:
    generated = judged(0, 60, base_right=60, n_choices=np.zeros(400, dtype=int), gold_labels=["yes"] * 400)
    assert "same right answer, 'yes'" in (generated.degenerate or "")


def test_generated_answers_are_never_degenerate() -> None:
    assert judged(0, 60, base_right=60, n_choices=np.zeros(400, dtype=int)).degenerate is None


def test_at_the_limit_itself_no_number_of_items_decides() -> None:
    assert judged(4, 8).items_needed is None


def test_items_needed_are_those_of_the_formula() -> None:
    # z(0.95) + z(0.8) = 2.4865; the variance of one item's difference is 20 / 400; 1 pp away: 3,092.
    assert judged(10, 10).items_needed == pytest.approx((2.4865 / 0.01) ** 2 * 20 / 400, rel=1e-3)


def test_without_flips_some_300_items_decide_and_they_do() -> None:
    needed = judged(0, 0, 25).items_needed
    assert needed == 301
    assert judged(0, 0, needed).verdict == "safe"
    assert judged(0, 0, needed - 3).verdict == "undecided"


def test_clusters_widen_the_interval() -> None:
    base = np.arange(400) < 300
    after = base.copy()
    after[:20] = False
    alone = flips_of(base, after, np.arange(400))
    together = flips_of(base, after, np.arange(400) // 5)
    assert alone.design_effect == 1.0
    assert together.design_effect == pytest.approx(5.0, rel=0.05)
    assert together.bounds_pp(0.05)[0] < alone.bounds_pp(0.05)[0]
    assert together.bounds_pp(0.05)[1] > alone.bounds_pp(0.05)[1]


def test_flips_rounded_for_clusters_never_exceed_the_items() -> None:
    low, high = Flips(gained=0, lost=9, n_items=9, design_effect=4.0).bounds_pp(0.05)
    assert -100.0 <= low <= high <= 100.0


def test_jointly_safe_only_if_every_guard_is() -> None:
    assert joint_over_guards(["safe", "safe"]) == "safe"
    assert joint_over_guards(["safe", "undecided"]) == "undecided"
    assert joint_over_guards(["safe", "undecided", "harmed"]) == "harmed"
    assert joint_over_guards([]) is None


def test_holm_multiplies_the_smallest_p_value_by_the_number_of_guards() -> None:
    guards = tuple(judged(0, lost) for lost in (12, 30, 2))
    adjusted = with_adjusted_p_values(guards)
    order = sorted(range(3), key=lambda index: guards[index].p_value_harmed)
    assert adjusted[order[0]].p_value_harmed_adjusted == pytest.approx(3 * guards[order[0]].p_value_harmed)
    assert adjusted[order[1]].p_value_harmed_adjusted == pytest.approx(
        max(2 * guards[order[1]].p_value_harmed, 3 * guards[order[0]].p_value_harmed)
    )
    assert adjusted[order[2]].p_value_harmed_adjusted <= 1.0


def draws(rng: np.random.Generator, n_items: int, flip_rate: float, delta_pp: float, count: int) -> np.ndarray:
    gain, loss = (flip_rate + delta_pp / 100) / 2, (flip_rate - delta_pp / 100) / 2
    return rng.multinomial(n_items, [gain, loss, 1 - gain - loss], size=count)[:, :2]


@pytest.mark.parametrize("flip_rate", [0.01, 0.02, 0.05])
def test_false_safe_at_exactly_the_limit_is_at_most_five_percent(flip_rate: float) -> None:
    """At 235 items and flips that are all losses, a normal interval is wrong in 9% of the draws; this is the corner."""
    rng = np.random.default_rng(5)
    verdicts = [
        Flips(gained=int(gained), lost=int(lost), n_items=235).verdict(1.0, 0.05)
        for gained, lost in draws(rng, 235, flip_rate, -1.0, 3000)
    ]
    assert np.mean([verdict == "safe" for verdict in verdicts]) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 3000)


def test_joint_false_safe_over_13_guards_is_at_most_five_percent() -> None:
    rng = np.random.default_rng(6)
    wrong = 0
    for _ in range(300):
        counts = [draws(rng, 2500, 0.03, -1.0, 1)[0], *draws(rng, 2500, 0.03, 2.0, 12)]
        verdict = joint_over_guards(
            Flips(gained=int(g), lost=int(lost), n_items=2500).verdict(1.0, 0.05) for g, lost in counts
        )
        wrong += verdict == "safe"
    assert wrong / 300 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 300)


def test_items_needed_decide_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    verdicts = [
        Flips(gained=int(g), lost=int(lost), n_items=2474).verdict(1.0, 0.05)
        for g, lost in draws(rng, 2474, 0.04, 0.0, 400)
    ]
    assert np.mean([verdict == "safe" for verdict in verdicts]) == pytest.approx(0.8, abs=0.06)
