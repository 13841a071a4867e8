import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from park_miller import crossed_rows

from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.likelihood import evaluate, factorise
from donorgrid.statistics.mixed_models.reml import fit

CROSSED = ("model", "source", "target")
NESTED = ("model", "model:source", "model:target")
RICH = (*CROSSED, "model:source", "model:target")


def chosen(rows, names, state=1):
    factors, y = crossed_rows(state)
    keep = np.ones(len(y), dtype=bool) if rows == 144 else factors["source"] != factors["target"]
    return {name: factors[name][keep] for name in names}, y[keep]


def by_name(fitted):
    return dict(zip(fitted.names, fitted.variances, strict=True))


def test_the_data_set_is_the_agreed_one():
    _, y = crossed_rows()
    k = np.round(12 * y)
    assert (k.sum(), (k**2).sum()) == (-54, 75214)
    assert k[:8].tolist() == [-11, -19, 19, 12, -18, 52, -16, -1]


ORACLE = [
    (144, CROSSED, (0.730030, 0.565428, 1.456039), 1.403913, 496.35058442),
    (144, NESTED, (0.317978, 0.698052, 1.849402), 0.953067, 498.46876026),
    (144, RICH, (0.634017, 0.546267, 1.349965, 0.151784, 0.499437), 0.953067, 477.38297016),
    (120, CROSSED, (0.757218, 0.673205, 1.498098), 1.331809, 412.91956950),
    (120, NESTED, (0.334027, 0.866750, 1.755583), 0.915876, 423.34231203),
    (120, RICH, (0.673256, 0.635465, 1.439729, 0.247844, 0.340326), 0.909827, 401.04192549),
]


@pytest.mark.parametrize(("rows", "names", "variances", "residual", "criterion"), ORACLE)
def test_reml_golden(rows, names, variances, residual, criterion):
    factors, y = chosen(rows, names)
    fitted = fit(make_design(factors), y)
    assert by_name(fitted) == pytest.approx(dict(zip(names, variances, strict=True)), abs=1.5e-6)
    assert fitted.residual == pytest.approx(residual, abs=1.5e-6)
    assert fitted.criterion == pytest.approx(criterion, abs=1e-7)
    assert fitted.converged
    assert fitted.at_zero == ()


@pytest.mark.parametrize(("rows", "intercept"), [(144, -0.03125), (120, -0.03958333)])
def test_intercepts_golden(rows, intercept):
    factors, y = chosen(rows, CROSSED)
    assert fit(make_design(factors), y).beta[0] == pytest.approx(intercept, abs=1e-7)


def test_a_true_zero_is_estimated_and_named():
    factors, y = chosen(120, RICH, state=20261)
    fitted = fit(make_design(factors), y)
    expected = dict(zip(RICH, (0, 0, 1.650763, 0.355886, 0.250326), strict=True))
    assert by_name(fitted) == pytest.approx(expected, abs=1.5e-6)
    assert fitted.residual == pytest.approx(1.094706, abs=1.5e-6)
    assert fitted.criterion == pytest.approx(405.03862799, abs=1e-7)
    assert set(fitted.at_zero) == {"model", "source"}
    assert fitted.converged


def balanced(seed, n_models=5, n_sources=6):
    rng = np.random.default_rng(seed)
    m, s = (axis.ravel() for axis in np.meshgrid(np.arange(n_models), np.arange(n_sources), indexing="ij"))
    return m, s, rng.normal(size=n_models)[m] * 3 + rng.normal(size=n_sources)[s] * 2 + rng.normal(size=m.size)


def mean_squares(m, s, y):
    """Two-way ANOVA without replication: mean squares of models, of sources, of the rest."""
    table = np.zeros((m.max() + 1, s.max() + 1))
    table[m, s] = y
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns + table.mean()
    n_m, n_s = table.shape
    degrees = (n_m - 1) * (n_s - 1)
    return n_s * rows.var(ddof=1), n_m * columns.var(ddof=1), (rest**2).sum() / degrees


def test_reml_equals_anova_on_balanced_data():
    m, s, y = balanced(0)
    ms_model, ms_source, ms_rest = mean_squares(m, s, y)
    fitted = fit(make_design({"model": m, "source": s}), y)
    assert fitted.residual == pytest.approx(ms_rest, rel=1e-6)
    expected = {"model": (ms_model - ms_rest) / 6, "source": (ms_source - ms_rest) / 5}
    assert by_name(fitted) == pytest.approx(expected, rel=1e-6)
    assert fitted.beta[0] == pytest.approx(y.mean(), abs=1e-12)
    assert fitted.beta_se[0] ** 2 == pytest.approx((ms_model + ms_source - ms_rest) / y.size, rel=1e-6)


def test_ml_of_a_one_way_layout_in_closed_form():
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(8), 5)
    y = 2 * rng.normal(size=8)[group] + rng.normal(size=40)
    means = y.reshape(8, 5).mean(axis=1)
    within = ((y.reshape(8, 5) - means[:, None]) ** 2).sum() / 32
    between = 5 * ((means - y.mean()) ** 2).sum()
    fitted = fit(make_design({"g": group}), y, reml=False)
    assert fitted.residual == pytest.approx(within, rel=1e-6)
    assert fitted.variances[0] == pytest.approx((between / 8 - within) / 5, rel=1e-6)
    dense = np.linalg.slogdet(covariance({"g": group}, fitted))[1]
    rest = y - fitted.beta[0]
    by_hand = 40 * np.log(2 * np.pi) + dense + rest @ np.linalg.solve(covariance({"g": group}, fitted), rest)
    assert fitted.criterion == pytest.approx(by_hand, abs=1e-8)


def covariance(factors, fitted):
    n_rows = len(next(iter(factors.values())))
    total = fitted.residual * np.eye(n_rows)
    for name, variance in by_name(fitted).items():
        total += variance * (factors[name][:, None] == factors[name])
    return total


@settings(max_examples=10, deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 100), st.integers(0, 1000))
def test_shift_scale_and_order_change_nothing_but_themselves(shift, scale, seed):
    factors, y = chosen(120, CROSSED)
    order = np.random.default_rng(seed).permutation(len(y))
    plain = fit(make_design(factors), y)
    moved = fit(make_design({name: codes[order] for name, codes in factors.items()}), shift + scale * y[order])
    np.testing.assert_allclose(moved.shares, plain.shares, atol=1e-5)
    assert moved.beta[0] == pytest.approx(shift + scale * plain.beta[0], abs=1e-6 * max(1, scale, abs(shift)))


def test_no_other_variances_do_better():
    rng = np.random.default_rng(3)
    factors, _ = chosen(120, RICH)
    design = make_design(factors)
    for _ in range(15):
        y = sum(rng.exponential() * rng.normal(size=codes.max() + 1)[codes] for codes in factors.values())
        y = y + rng.normal(size=120)
        fitted = fit(design, y)
        assert fitted.converged
        for ratios in rng.exponential(size=(20, 5)) * (rng.random((20, 5)) < 0.7):
            other = evaluate(design, moments(design, y - y.mean()), factorise(design, ratios, reml=True))
            assert other.criterion >= fitted.criterion


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.ones(4), "does not vary"),
        (np.arange(3.0), "expected 4 finite"),
        (np.array([1.0, 2, np.nan, 3]), "expected 4 finite"),
    ],
)
def test_a_response_that_cannot_be_fitted_is_refused(y, words):
    with pytest.raises(InputError, match=words):
        fit(make_design({"a": [0, 0, 1, 1]}), y)
