"""The exams of advice: nothing leaks, every rule is scored alike, and each number is checked by hand or by SciPy."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import advice
import numpy as np
import polars as pl
import pytest
from advice_exam.drawing import NoiseGuess, draw_folds, draw_probes, only_rows, thin
from advice_exam.gains import chosen_for_all, chosen_for_each_target, share_of_best
from advice_exam.gaussian_rule import GaussianRule
from advice_exam.held_out import HeldOut, Truth, exams_of
from advice_exam.page import paired_interval
from advice_exam.predictive import Predictive
from advice_exam.rows import base_rate, within_ceiling
from advice_exam.scores import calibration_error, score_fold, within_targets
from advice_exam.simple_rules import SIMPLE_RULES
from advice_exam.sitting import Examinee, Plan, half_step_of
from scipy.stats import norm, spearmanr, t, ttest_rel
from transfer_tables import CELLS, TASKS, as_knowledge, draw_tables

from donorgrid.statistics.transfer_model.knowledge import Knowledge


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return as_knowledge(draw_tables(4, seed=3)[1])


def examinee_without_model_0(knowledge: Knowledge, exam: str) -> tuple[Examinee, Truth]:
    held, truth = next(pair for pair in exams_of(knowledge, []) if pair[0].exam == exam)
    assert held.model == "model-0"
    return Examinee(held, [*SIMPLE_RULES, GaussianRule()]), truth


@pytest.mark.parametrize("exam", ["model", "family"])
def test_poison_outside_the_probes_changes_no_prediction(knowledge: Knowledge, exam: str) -> None:
    poisoned = knowledge.delta_pp.copy()
    probes = [1, 6, 10]
    poisoned[0] = only_rows(poisoned[0], probes)
    noise = knowledge.noise_variance.copy()
    noise[0] = np.nan
    clean, truth = examinee_without_model_0(knowledge, exam)
    other, poison = examinee_without_model_0(replace(knowledge, delta_pp=poisoned, noise_variance=noise), exam)
    assert np.isnan(poison.delta_pp).any()
    plan = Plan(n_draws=1, n_per_task=1, probes="own", guess=NoiseGuess())
    allowed = np.arange(len(CELLS))
    assert clean.choose(plan, allowed, np.random.default_rng(0)) == other.choose(
        plan, allowed, np.random.default_rng(0)
    )
    for rule in clean.rules(1):
        for chosen in ([], probes) if rule in clean.rules(0) else (probes,):
            first, second = (
                examinee.predict(rule, chosen, only_rows(part.delta_pp, chosen), np.arange(len(CELLS)), seed=4)
                for examinee, part in ((clean, truth), (other, poison))
            )
            np.testing.assert_array_equal(first.mean, second.mean)
            np.testing.assert_array_equal(first.sd, second.sd)
            assert np.isfinite(first.mean).all()


def test_a_family_is_left_out_whole_and_tables_kept_apart_help_nobody(knowledge: Knowledge) -> None:
    exams = [(held.exam, held.model, held.knowledge.models) for held, _ in exams_of(knowledge, ["model-3"])]
    assert ("model", "model-0", ("model-1", "model-2")) in exams
    assert ("family", "model-1", ("model-0", "model-2")) in exams
    assert ("held-out", "model-3", ("model-0", "model-1", "model-2")) in exams
    assert [exam for exam, _, _ in exams] == ["model"] * 3 + ["family"] + ["held-out"]


def test_folds_spread_tasks_and_languages(knowledge: Knowledge) -> None:
    held = exams_of(knowledge, [])[0][0]
    folds = draw_folds(held.cells, np.random.default_rng(1))
    assert sorted(np.concatenate(folds)) == list(range(len(CELLS)))
    for fold in folds:
        assert sorted(CELLS[index].task for index in fold) == sorted(TASKS)
        assert len({CELLS[index].language for index in fold}) == len(fold)
    assert not np.array_equal(folds[0], draw_folds(held.cells, np.random.default_rng(2))[0])
    allowed = np.concatenate(folds[1:])
    probes = draw_probes(held.cells, allowed, 1, np.random.default_rng(0))
    assert sorted(CELLS[index].task for index in probes) == sorted(TASKS)
    assert set(probes) <= set(allowed)


def test_thinned_replicates_have_independent_noise_of_twice_the_variance() -> None:
    rng = np.random.default_rng(0)
    common, single = 0.3 * 4.0, 0.7 * 4.0
    variance = np.full((20000, 2), 4.0)
    noise = np.sqrt(single) * rng.standard_normal(variance.shape)
    shown, hidden = thin(noise, variance, NoiseGuess(common=0.0, size=0.7), rng)
    np.testing.assert_allclose(shown + hidden, 2 * noise)
    assert abs(np.cov(shown[:, 0], hidden[:, 0])[0, 1]) < 0.1
    np.testing.assert_allclose([shown.var(), hidden.var()], 2 * single, rtol=0.03)
    per_target = [thin(np.zeros((500, 1)), np.full((500, 1), 4.0), NoiseGuess(), rng)[0].mean() for _ in range(2000)]
    np.testing.assert_allclose(np.var(per_target), common, rtol=0.12)


@pytest.mark.parametrize(("degrees", "law"), [(np.inf, norm()), (4.0, t(4.0))])
def test_a_mixture_equals_its_scipy_components(degrees: float, law: object) -> None:
    mean, sd = np.array([-1.0, 2.0])[:, None, None], np.array([0.5, 1.5])[:, None, None]
    predictive = Predictive(mean=mean, sd=sd, degrees=degrees)
    at = np.array([[0.7]])
    z = (0.7 - mean) / sd
    assert predictive.log_density(at)[0, 0] == pytest.approx(np.log((law.pdf(z) / sd).mean()))  # type: ignore[attr-defined]
    assert predictive.below(at)[0, 0] == pytest.approx(law.cdf(z).mean())  # type: ignore[attr-defined]
    assert predictive.below(predictive.quantile(0.05))[0, 0] == pytest.approx(0.05, abs=1e-6)
    assert predictive.point()[0, 0] == 0.5


def test_scores_of_a_fold_by_hand() -> None:
    truth = np.array([[0.0, -1.0], [2.0, 3.0], [4.0, 1.0]])
    mask = np.array([[True, True], [True, False], [True, True]])
    predictive = Predictive(mean=np.array([[[0.0, 1.0], [5.0, 9.0], [4.0, -2.0]]]), sd=np.ones((1, 3, 2)))
    score = score_fold(predictive, truth, mask, 0.0)
    assert score.within == pytest.approx((spearmanr([0, 5, 4], [0, 2, 4])[0] - 1) / 2)
    assert score.overall == pytest.approx(spearmanr([0, 1, 5, 4, -2], [0, -1, 2, 4, 1])[0])
    errors = np.array([0.0, 2.0, 3.0, 0.0, 3.0])
    assert score.log_score == pytest.approx(norm.logpdf(errors).mean())
    half = norm.ppf(0.95)
    assert score.interval_score90 == pytest.approx((2 * half + 20 * np.maximum(errors - half, 0)).mean(), abs=1e-5)
    assert np.nansum(score.inside) == 2
    assert score.harmed.tolist() == [False, True, False, False, False]
    np.testing.assert_allclose(score.harm_probability[1], norm.cdf(-2.0))


def test_a_rule_that_ranks_all_sources_alike_scores_zero() -> None:
    assert within_targets(np.zeros((5, 2)), np.arange(10.0).reshape(5, 2), np.ones((5, 2), dtype=bool)) == 0.0


def test_calibration_error_is_the_distance_of_probability_and_frequency() -> None:
    probability = np.repeat([0.1, 0.6], 500)
    outcome = np.concatenate([np.arange(500) % 5 == 0, np.arange(500) % 2 == 0])
    assert calibration_error(probability, outcome) == pytest.approx(0.1)


def test_gains_by_hand() -> None:
    point = np.array([[9.0, 1.0], [2.0, 2.0], [2.0, 0.0]])
    hidden = np.array([[50.0, 1.0], [3.0, 4.0], [5.0, 6.0]])
    sources = np.array([[False, True], [True, True], [True, True]])
    np.testing.assert_allclose(chosen_for_each_target(point, hidden, sources), [4.0, 4.0])
    assert chosen_for_all(point, hidden, sources) == 3.5
    assert share_of_best([2.0, 4.0], [1.0, 1.0], [5.0, 5.0]) == 0.5
    assert share_of_best([2.0], [1.0], [1.0]) is None


def test_the_interval_over_models_is_scipys() -> None:
    first, second = {"a": 1.0, "b": 2.5, "c": 2.0}, {"a": 0.5, "b": 1.0, "c": 2.2}
    interval = ttest_rel(list(first.values()), list(second.values())).confidence_interval(0.95)
    low, mean, high = paired_interval(first, second)
    assert (low, high) == pytest.approx((interval.low, interval.high))
    assert mean == pytest.approx(0.6)


def test_ceiling_base_rate_and_step(knowledge: Knowledge) -> None:
    held, truth = exams_of(knowledge, [])[0]
    noisy = Truth(delta_pp=truth.delta_pp, noise_variance=np.full_like(truth.delta_pp, 1e-12))
    assert within_ceiling(held, noisy, 0.3) == pytest.approx(1.0)
    assert within_ceiling(held, truth, 0.3) < within_ceiling(held, truth, 0.9) < 1
    everywhere = HeldOut(
        exam="model", model="m", family="f", knowledge=replace(held.knowledge, delta_pp=held.knowledge.delta_pp * 0 - 2)
    )
    assert (
        base_rate(everywhere, Truth(delta_pp=truth.delta_pp * 0 - 2, noise_variance=truth.noise_variance))["brier"] == 0
    )
    assert half_step_of(np.array([0.25, 0.5, -1.0, 1 / 12])) == pytest.approx(1 / 12, abs=1e-6)


def write_table(path: Path, model: str, deltas: np.ndarray) -> None:
    rows = [
        {
            **{"model": model, "recipe": "lora", "n_seeds": 3, "se_seed_pp": 0.5, "delta_pp": float(deltas[i, j])},
            **{"source_task": source.task, "source_language": source.language},
            **{"target_task": target.task, "target_language": target.language},
        }
        for i, source in enumerate(CELLS)
        for j, target in enumerate(CELLS)
    ]
    pl.DataFrame(rows).write_csv(path)


def test_the_command_writes_the_rows_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = draw_tables(3, seed=8)[1]
    names = ("Qwen2.5-1B", "Qwen2.5-3B", "Llama-3.2-1B")
    for name, deltas in zip(names, tables, strict=True):
        write_table(tmp_path / f"{name}.csv", name, deltas)
    paths = [str(tmp_path / f"{name}.csv") for name in names]
    command = ["advice.py", *paths[:2], "--held-out", paths[2], "--draws", "1", "--json", str(tmp_path / "rows.json")]
    monkeypatch.setattr(sys, "argv", [*command, "--without-trees"])
    advice.main()
    assert "## Tables kept apart (1 models)" in capsys.readouterr().out
    rows = json.loads((tmp_path / "rows.json").read_text())
    columns = (
        "model exam k probes rule within within_ceiling overall log_score interval_score90 coverage90 coverage90_mt_cl "
        "coverage90_ct_ml coverage90_ct_cl brier ece n_draws best_per_target_pp one_for_all_pp share_of_best"
    )
    assert all(set(row) - {"oracle"} == set(columns.split()) for row in rows)
    assert {(row["exam"], row["model"]) for row in rows} == {("held-out", names[2])}
    assert {(row["k"], row["probes"]) for row in rows} == {
        *{("0", "random"), ("1/task", "random"), ("1/task", "own"), ("2/task", "random"), ("2/task", "own")}
    }
    assert {row["rule"] for row in rows if row.get("oracle")} == {"oracle-full-grid", "oracle-as-measured"}
