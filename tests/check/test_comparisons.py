"""Adapters compared with each other on the same items."""

import numpy as np
import pytest
from answers_by_hand import target_answers

from donorgrid.check import CheckSettings, judge
from donorgrid.statistics.paired import mean_change_interval

SETTINGS = CheckSettings(limit_pp=1.0, n_splits=50)


def test_adapters_are_compared_item_by_item() -> None:
    targets = [target_answers("on/de", (40, 0), (20, 0), role="on"), target_answers("guard/de", (0, 0), (0, 0))]
    on, guard = judge("base", ["first", "second"], targets, SETTINGS).comparisons
    assert (on.first, on.second, on.role, on.delta_pp) == ("first", "second", "on", pytest.approx(5.0))
    assert on.low_pp > 0
    assert guard.delta_pp == 0.0
    assert guard.low_pp < 0 < guard.high_pp


def test_items_that_targets_share_count_once() -> None:
    rng = np.random.default_rng(1)
    change = rng.choice([-1.0, 0.0, 1.0], size=300)
    ids = [str(number) for number in range(300)]
    _, low, high = mean_change_interval([change, change], [ids, ids], tail=0.05)
    _, alone_low, alone_high = mean_change_interval([change], [ids], tail=0.05)
    assert high - low == pytest.approx(alone_high - alone_low, rel=0.01)
    _, low, high = mean_change_interval(
        [change, rng.permutation(change)], [ids, [f"x{item_id}" for item_id in ids]], tail=0.05
    )
    assert high - low == pytest.approx((alone_high - alone_low) / np.sqrt(2), rel=0.02)
