import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, random_grid, run_of
from scipy.stats import false_discovery_control

from donorgrid.analyse import AnalysisSettings, analyse, deltas, deltas_by_seed, pair_answers, read_tables
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.run_errors import run_variances
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.arms import Arm, arms, judged
from donorgrid.analyse.reading.paired_differences import differences_of

QUICK = AnalysisSettings(n_bootstrap=100, n_permutations=0)


def analysed(answers, settings=QUICK):
    pooled = pl.concat([deltas(of_model, metric="acc_norm") for of_model in answers])
    by_seed = pl.concat([deltas_by_seed(of_model, metric="acc_norm") for of_model in answers])
    return analyse(pooled, by_seed=by_seed, answers=answers, settings=settings)


@pytest.fixture(scope="module")
def null():
    """Two models whose adapters flip 6% of the answers and change nothing."""
    grids = [random_grid(seed, model=f"m{seed}", seeds=(1, 2, 3), flips=0.06, n_items=300) for seed in (0, 1)]
    # Half of the answers are right, so right -> wrong and wrong -> right are equally likely.
    return analysed([pair_answers(*grid) for grid in grids])


def test_without_effects_the_expected_harm_is_the_measured_one(null):
    row = null["noise"].filter(pl.col("regime") == "transfer").row(0, named=True)
    assert row["n"] == 60
    assert row["harm_rate"] == pytest.approx(row["expected_harm_rate_no_effect"], abs=0.12)
    assert row["bh_harmed"] == row["bh_helped"] == row["max_t_harmed"] == 0.0
    assert row["eb_harm_rate"] < row["harm_rate"] + 0.02
    assert row["safe_rate"] + row["verdict_harmed_rate"] + row["undecided_rate"] == pytest.approx(1)
    assert row["se_kind"] == "items"


def test_the_trained_cells_are_not_tested_as_transfer(null):
    trained = null["cells"].filter(pl.col("regime") == "MT-ML")
    for adjusted in ("q_value_decrease", "q_value_increase"):
        assert trained[adjusted].null_count() == trained.height
    noise = null["noise"].filter(pl.col("regime") == "MT-ML")
    for surviving in ("bh_harmed", "bh_helped", "by_harmed", "by_helped"):
        assert noise[surviving].to_list() == [None]


@pytest.mark.parametrize("side", ["decrease", "increase"])
def test_p_values_are_adjusted_over_the_transfer_cells_alone(null, side):
    cells = null["cells"]
    transfer = cells.filter(pl.col("regime") != "MT-ML")
    assert transfer.height < cells.height
    assert cells.filter(pl.col("regime") == "MT-ML")[f"q_value_{side}"].is_null().all()
    expected = false_discovery_control(transfer[f"p_value_{side}"].to_numpy())
    np.testing.assert_allclose(transfer[f"q_value_{side}"], expected, rtol=1e-12)


def broken(share=0.3):
    """One target loses a share of its right answers under every adapter; the others do not change."""
    rng = np.random.default_rng(4)
    size = len(TASKS) * len(LANGUAGES) * 300
    base = rng.random(size) < 0.6
    target = np.arange(size) // 300 == 1  # alpha/en
    runs = []
    for task in TASKS:
        for language in LANGUAGES:
            right = base & ~(target & (rng.random(size) < share)) ^ (rng.random(size) < 0.01)
            runs.append((run_of(task, language), item_frame(right)))
    return pair_answers(item_frame(base), runs)


def test_real_harm_is_found_by_every_test():
    tables = analysed([broken()])
    hurt = tables["cells"].filter((pl.col("target_task") == "alpha") & (pl.col("target_language") == "en"))
    transfer = hurt.filter(pl.col("regime") != "MT-ML")
    assert (transfer["verdict"] == "harmed").all()
    assert (transfer["q_value_decrease"] < 0.001).all()
    assert (transfer["max_t_p_value_decrease"] == transfer["max_t_p_value_decrease"].min()).all()
    assert transfer["max_t_p_value_decrease"].max() == pytest.approx(1 / 101)
    assert (transfer["eb_harm_probability"] > 0.99).all()
    rest = tables["cells"].filter(
        (pl.col("regime") != "MT-ML") & ~((pl.col("target_task") == "alpha") & (pl.col("target_language") == "en"))
    )
    assert (rest["q_value_decrease"] > 0.05).all()
    verdicts = {
        (row["source_task"], row["source_language"]): row["verdict"]
        for row in tables["verdicts"].filter(pl.col("guarded") == "all others").iter_rows(named=True)
    }
    assert verdicts.pop(("alpha", "en")) != "harmed"
    assert set(verdicts.values()) == {"harmed"}


def test_the_spread_between_runs_is_found_and_flips_alone_are_not():
    rng = np.random.default_rng(5)
    size = len(TASKS) * len(LANGUAGES) * 400
    base = rng.random(size) < 0.5

    def grid(run_sd):
        runs = []
        for task in TASKS:
            for language in LANGUAGES:
                for seed in (1, 2, 3, 4):
                    lift = run_sd * np.repeat(rng.normal(size=6), 400)
                    flip = rng.random(size) < 0.05
                    up = ~base & (rng.random(size) < np.maximum(lift, 0) * 2)
                    down = base & (rng.random(size) < np.maximum(-lift, 0) * 2)
                    runs.append((run_of(task, language, train_seed=seed), item_frame((base ^ flip) | up & ~down)))
        return pair_answers(item_frame(base), runs)

    found = {}
    for run_sd in (0.0, 0.04):
        answers = grid(run_sd)
        frame = run_variances(
            deltas(answers, metric="acc_norm").filter(pl.col("regime") != "MT-ML"),
            deltas_by_seed(answers, metric="acc_norm"),
        )
        found[run_sd] = frame["run_variance"].mean()
    assert found[0.0] < 0.3
    assert found[0.04] > 2.0


def test_tables_without_item_errors_use_what_they_have(slices):
    cells = judged(read_tables(slices).deltas, QUICK)
    assumed = with_uncertainty(cells, QUICK)
    assert assumed["se_kind"].unique().to_list() == ["assumed flips"]
    assert assumed["noise_se_pp"][0] == pytest.approx(100 * np.sqrt(0.04 / 1200))
    assert assumed["verdict"].null_count() == assumed.height
    seeds = with_uncertainty(cells.with_columns(se_seed_pp=pl.lit(0.5)), QUICK)
    assert seeds["se_kind"].unique().to_list() == ["seeds"]
    np.testing.assert_allclose(seeds["noise_se_pp"], 0.5)
    bare = with_uncertainty(cells.drop("n_items"), QUICK)
    assert bare["se_kind"].unique().to_list() == ["unknown"]


def test_sign_flips_do_not_depend_on_the_order_of_models():
    answers = [pair_answers(*random_grid(seed, model=f"m{seed}")) for seed in (0, 1)]
    arm = Arm("lora", None)
    key = ["model", "source_name", "target_task", "target_language"]
    own = differences_of(answers, arm, metric="acc_norm")
    first, second = (max_t_table(order, QUICK).sort(key) for order in (own, own[::-1]))
    assert first.equals(second)
    assert first.height == 60
    assert max_t_table(differences_of(answers, Arm("other", None), metric="acc_norm"), QUICK).height == 0


def test_the_arm_of_a_deltas_frame_is_found_again():
    answers = pair_answers(*random_grid(2))
    ((arm, _),) = arms(deltas(answers, metric="acc_norm"))
    assert arm == Arm("lora", None)
