"""Noise from seeds is pooled by source task and target task; an assumed noise is told from a measured one."""

import numpy as np
import polars as pl
import pytest

from donorgrid.core.tables.declaring import ARM
from donorgrid.pipeline.advise.seed_noise import is_assumed, with_noise_by_source_task


def cells(se_kind: list[str]) -> pl.DataFrame:
    n = len(se_kind)
    return pl.DataFrame(
        {
            **{name: ["m"] * n for name in ("model", *ARM)},
            **{"source_task": ["a", "a", "b"], "target_task": ["t"] * n, "se_kind": se_kind},
            **{"se_seed_pp": [1.0, 3.0, 0.2], "noise_se_pp": [2.0] * n},
        }
    )


def test_a_quiet_source_task_keeps_its_small_noise() -> None:
    noise = with_noise_by_source_task(cells(["seeds"] * 3))["noise_se_pp"].to_numpy()
    np.testing.assert_allclose(noise[:2] ** 2, (1.0 + 9.0 + 5 * 4.0) / 7)
    assert noise[2] ** 2 == pytest.approx((0.04 + 5 * 4.0) / 6)


def test_other_kinds_of_error_stay() -> None:
    mixed = cells(["seeds", "items", "assumed flips"])
    noise = with_noise_by_source_task(mixed)["noise_se_pp"]
    assert noise[1:].to_list() == [2.0, 2.0]
    assert is_assumed(mixed).tolist() == [False, False, True]
    assert not is_assumed(mixed.drop("se_kind")).any()
