import numpy as np
from answer_grids import random_grid

from donorgrid.analyse import deltas, deltas_by_seed, pair_answers, to_released


def test_the_released_columns_come_first_and_the_spread_is_over_seeds():
    answers = pair_answers(*random_grid(2))
    released = to_released(deltas(answers, metric="acc_norm"), by_seed=deltas_by_seed(answers, metric="acc_norm"))
    assert released.columns[:10] == [
        "model_name", "model_size", "fine_tuned_dataset", "fine_tuned_language", "eval_dataset", "eval_language",
        "regime", "score_mean", "score_std", "score_se",
    ]  # fmt: skip
    assert {"delta_score_norm_mean", "delta_score_norm_std", "delta_score_norm_se", "n_seeds", "se_pp"} <= set(
        released.columns
    )
    np.testing.assert_allclose(released["delta_score_norm_se"], released["se_seed_pp"], rtol=1e-12)
