"""Gain, harm and the verdict of an option follow from its joint draws, and the decision from them."""

import numpy as np
import pytest

from donorgrid.advise.deciding import decide
from donorgrid.advise.judging import judge_options
from donorgrid.advise.options import Evidence, Option
from donorgrid.advise.sentences import advise
from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell

WANTED, FIRST, SECOND = Cell.parse("ask/de"), Cell.parse("ask/en"), Cell.parse("tell/en")
MEASURED = Evidence(rests_on="measured", n_items=400, n_seeds=3)


def wish(**changes: object) -> Wish:
    return Wish(**{"wanted": {WANTED: 1.0}, "guards": (FIRST, SECOND), **changes})  # type: ignore[arg-type]


def option(name: str) -> Option:
    return Option(name=name, cells={Cell.parse(name): 1.0}, evidence=MEASURED)


def draws(*options: list[tuple[float, float, float]]) -> np.ndarray:
    """Draws of (wanted, first guard, second guard), shape ``(n_draws, n_options, 3)``."""
    return np.array(options, dtype=float).transpose(1, 0, 2)


def test_probabilities_are_shares_of_joint_draws() -> None:
    one = [(2.0, -3.0, 0.0), (1.0, 0.0, -2.0), (3.0, 0.0, 0.0), (-1.0, 0.0, 0.0)]
    (judged,) = judge_options([option("tell/de")], draws(one), wish())
    assert judged.gain_pp == pytest.approx(1.25)
    assert judged.p_gain == 0.75
    assert judged.p_all_safe == 0.5  # a product of marginals would say 0.5625
    assert judged.p_harm_worst == 0.25
    assert judged.expected_harmed == 0.5
    assert judged.expected_worst_pp == pytest.approx(-1.25)
    assert judged.safety == "undecided"


def test_a_delta_at_minus_the_limit_is_harm() -> None:
    (judged,) = judge_options([option("tell/de")], draws([(1.0, -1.0, 0.0)] * 10), wish())
    assert judged.p_harm_worst == 1.0
    assert judged.worst_guard == FIRST
    assert judged.safety == "harmed"


def test_a_number_of_harmed_guards_may_be_allowed() -> None:
    harmful = draws([(1.0, -5.0, 0.0)] * 10)
    assert judge_options([option("tell/de")], harmful, wish(allow_harmed=1))[0].safety == "safe"
    assert judge_options([option("tell/de")], harmful, wish(allow_harmed=0))[0].safety == "harmed"


def test_all_guarded_is_judged_by_the_expected_share() -> None:
    guards = tuple(Cell(task="ask", language=f"l{index}") for index in range(40))
    row = np.zeros((10, 1, 41))
    row[:, :, 0], row[:, 0, 1:3] = 1.0, -5.0
    assert judge_options([option("tell/de")], row, wish(guards=guards, all_guarded=True))[0].safety == "safe"
    row[:, 0, 1:5] = -5.0
    assert judge_options([option("tell/de")], row, wish(guards=guards, all_guarded=True))[0].safety == "harmed"


def test_the_best_safe_option_is_chosen_and_equals_are_ties() -> None:
    risky = [(9.0, -4.0, 0.0)] * 20
    good = [(2.0 + 0.1 * (index % 2), 0.0, 0.0) for index in range(20)]
    as_good = [(2.1 - 0.1 * (index % 2), 0.0, 0.0) for index in range(20)]
    poor = [(0.5, 0.0, 0.0)] * 20
    options = [option(name) for name in ("tell/de", "tell/fr", "tell/hi", "tell/id")]
    decision = decide(judge_options(options, draws(risky, good, as_good, poor), wish()), wish())
    assert decision.action == "train"
    assert decision.chosen is not None
    assert decision.chosen.option.name in ("tell/fr", "tell/hi")
    assert [judged.option.name for judged in decision.ties] == [
        name for name in ("tell/fr", "tell/hi") if name != decision.chosen.option.name
    ]
    assert decision.ranked[-1].option.name == "tell/de"


def test_nothing_safe_that_gains_means_not_to_train() -> None:
    harmful = [(3.0, -5.0, 0.0)] * 20
    losing = [(-2.0, 0.0, 0.0)] * 20
    options = [option("tell/de"), option("tell/fr")]
    decision = decide(judge_options(options, draws(harmful, losing), wish()), wish())
    assert decision.action == "do not train"
    sentences = advise(decision, wish())
    assert sentences.do.startswith("Do not train")
    assert "tell/de" in sentences.do


def test_something_undecided_is_to_be_measured_first() -> None:
    open_one = [(3.0, -5.0 * (index % 3 == 0), 0.0) for index in range(30)]
    decision = decide(judge_options([option("tell/de")], draws(open_one), wish()), wish())
    assert decision.action == "measure first"
    assert advise(decision, wish()).do.startswith("Measure more before training")


def test_training_on_the_target_itself_is_called_so() -> None:
    (judged,) = judge_options([option("ask/de")], draws([(4.0, 0.0, 0.0)] * 20), wish())
    sentences = advise(decide([judged], wish()), wish(), limits_of_evidence=["its size is new"])
    assert "ask/de (not transfer)" in sentences.do
    assert "not transfer" in sentences.against
    assert sentences.untested == "Not tested: its size is new."


def test_the_worst_wanted_target_can_be_what_counts() -> None:
    both = Wish(wanted={WANTED: 1.0, FIRST: 3.0}, worst=True)
    assert both.gain(np.array([[4.0, -1.0]])).tolist() == [-1.0]
    assert Wish(wanted={WANTED: 1.0, FIRST: 3.0}).gain(np.array([[4.0, 0.0]])).tolist() == [1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wanted": {}}, "at least one wanted target"),
        ({"wanted": {WANTED: -1.0}}, "weights must be"),
        ({"confidence": 1.0}, "confidence 1"),
        ({"limit_pp": -1.0}, "limit -1"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        wish(**changes)
