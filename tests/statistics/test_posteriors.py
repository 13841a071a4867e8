from dataclasses import replace

import numpy as np
import pytest

from donorgrid.statistics.mixed_models.explained import explain
from donorgrid.statistics.posteriors import KnownErrors, cut_variance, truths


def grid(seed, n_models=6, n_sources=8):
    rng = np.random.default_rng(seed)
    m, s = (axis.ravel() for axis in np.meshgrid(np.arange(n_models), np.arange(n_sources), indexing="ij"))
    return m, s, 2 * rng.normal(size=n_models)[m] + rng.normal(size=n_sources)[s] + rng.normal(size=m.size)


def ones(y):
    return np.ones((y.size, 1))


def errors(y, *, independent=0.0, common=0.0, **of_factor):
    return KnownErrors(
        independent=np.full(y.size, independent),
        common=np.full(y.size, common),
        of_factor={name: np.full(y.size, variance) for name, variance in of_factor.items()},
    )


def share_variance(noise_share, n_levels):
    """Of a normal share 1 - noise_share, relative error of the noise's sqrt(2 / (levels - 1)), cut to 0..1: by sums."""
    share = np.linspace(0, 1, 100_001)
    weight = np.exp(-0.5 * (share - 1 + noise_share) ** 2 / (noise_share**2 * 2 / (n_levels - 1)))
    mean = (weight * share).sum() / weight.sum()
    return (weight * (share - mean) ** 2).sum() / weight.sum()


@pytest.mark.parametrize("n_levels", [2, 3, 12, 200, 17_000])
@pytest.mark.parametrize("noise_share", [1e-9, 1e-4, 0.1, 0.6, 0.99, 1.0, 1.01, 1.5, 4.0, 1e3, 1e8])
def test_the_variance_of_a_share_holds_from_end_to_end(noise_share, n_levels):
    mean, sd = 1 - noise_share, noise_share * np.sqrt(2 / (n_levels - 1))
    # With distances in sd, by sums over a fine grid where the mass is.
    low, high = -mean / sd, (1 - mean) / sd
    far = min(high, max(low, 0.0) + 40 / max(1.0, low))
    z = np.linspace(max(low, -12.0), far, 400_001)
    weight = np.exp(-0.5 * (z - z[0]) * (z + z[0])) if low > 0 else np.exp(-0.5 * z**2)
    centre = (weight * z).sum() / weight.sum()
    expected = sd**2 * (weight * (z - centre) ** 2).sum() / weight.sum()
    assert cut_variance(mean, sd) == pytest.approx(expected, rel=1e-3)
    assert cut_variance(mean, sd) <= 1 / 12 + 1e-9


def test_the_posterior_is_the_normal_one_under_the_full_covariance():
    """Against conditioning with dense matrices, with nothing known of b; and what the estimated shares add to it."""
    m, s, y = grid(0)
    fixed = np.stack([s < 3, s >= 3], axis=1).astype(float)
    model = explain({"m": m, "s": s}, y, fixed)
    same = {"m": m[:, None] == m, "s": s[:, None] == s}
    found, row_variance = truths(model, y, errors(y, independent=0.3, common=0.2, m=0.1, s=0.4))
    assert row_variance == pytest.approx(model.residual - 0.3)
    seen = sum(model.variances[name] * same[name] for name in same) + model.residual * np.eye(y.size)
    true = seen - 0.1 * same["m"] - 0.4 * same["s"] - 0.3 * np.eye(y.size)
    inverse = np.linalg.inv(seen)
    gls = np.linalg.inv(fixed.T @ inverse @ fixed)
    beta = gls @ fixed.T @ inverse @ y
    np.testing.assert_allclose(found.mean, fixed @ beta + true @ inverse @ (y - fixed @ beta), rtol=1e-8)
    rest = fixed - true @ inverse @ fixed
    variance = np.diagonal(true - true @ inverse @ true) + np.diagonal(rest @ gls @ rest.T) + 0.2
    left = model.residual * inverse @ (y - fixed @ beta)
    variance = variance + share_variance(0.3 / model.residual, y.size - 1) * left**2
    for name, shared, n_levels in (("m", 0.1, 6), ("s", 0.4, 8)):
        effect = model.variances[name] * same[name] @ inverse @ (y - fixed @ beta)
        variance = variance + share_variance(shared / model.variances[name], n_levels) * effect**2
    np.testing.assert_allclose(found.sd**2, variance, rtol=1e-4)


def test_what_noise_explains_is_not_believed():
    """The levels of s differ by no more than their shared noise: their effects are shrunk away, others are not."""
    m, s, y = grid(1)
    model = explain({"m": m, "s": s}, y, ones(y))
    none, _ = truths(model, y, errors(y, independent=model.residual + 1.0, s=model.variances["s"] + 1.0))
    np.testing.assert_allclose(none.mean, model.beta[0] + model.effects["m"])
    kept, row_variance = truths(model, y, errors(y))
    np.testing.assert_allclose(kept.mean, y)
    assert row_variance == model.residual
    np.testing.assert_allclose(kept.sd, 0.0, atol=1e-7)


def test_a_mean_is_believed_as_far_as_its_own_error_does_not_explain_it():
    y = np.array([1.0, 3.0, 1.0, 3.0, 4.0, 6.0, 4.0, 6.0])
    fixed = np.repeat(np.eye(2), 4, axis=0)
    model = explain({}, y, fixed)
    np.testing.assert_allclose(model.beta, [2.0, 5.0])

    def posterior(covariance):
        found, _ = truths(model, y, replace(errors(y, independent=9.0), of_beta=np.array(covariance)))
        return found

    def means(covariance):
        return posterior(covariance).mean[[0, 4]]

    # b'G^-1 b = 4 + 25 in units of the first one's errors: a share of 1 - 2 / 29 is kept.
    np.testing.assert_allclose(means([[1.0, 0.0], [0.0, 1.0]]), np.array([2.0, 5.0]) * (1 - 2 / 29))
    np.testing.assert_allclose(means([[20.0, 0.0], [0.0, 20.0]]), [0.0, 0.0])
    # Of the means' own error, a fourth of the residual, as much goes as is not kept; that the share is estimated adds.
    variance = model.residual / 4 - 2 / 29 + share_variance(2 / 29, 3) * np.array([2.0, 5.0]) ** 2
    variance = variance + share_variance(9 / model.residual, 7) * (y[[0, 4]] - [2.0, 5.0]) ** 2
    kept = posterior([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(kept.sd[[0, 4]] ** 2, variance, rtol=1e-4)
    # What both means have in common is noise, and what sets them apart is not.
    assert (means([[10.0, 9.9], [9.9, 10.0]]) > means([[10.0, 0.0], [0.0, 10.0]])).all()


def test_without_factors_it_is_least_squares():
    y = np.array([1.0, 2.0, 3.0, 6.0])
    model = explain({}, y, ones(y))
    assert model.residual == pytest.approx(np.var(y, ddof=1))
    assert model.criterion == pytest.approx(3 * (1 + np.log(2 * np.pi * model.residual)) + np.log(4))
    found, row_variance = truths(model, y, errors(y, independent=1.0))
    assert row_variance == pytest.approx(model.residual - 1.0)
    weight = row_variance / model.residual
    np.testing.assert_allclose(found.mean, weight * y + (1 - weight) * 3.0)
    of_weight = share_variance(1 / model.residual, 4)
    expected = weight + (1 - weight) ** 2 * model.residual / 4 + of_weight * (y - 3.0) ** 2
    np.testing.assert_allclose(found.sd**2, expected, rtol=1e-4)


def test_too_few_rows_and_no_spread():
    assert explain({}, np.array([1.0]), np.ones((1, 1))) is None
    assert explain({}, np.array([1.0, 2.0, 4.0]), np.ones((3, 2))) is None
    flat = explain({"m": np.array([0, 0, 1, 1])}, np.full(4, 0.7), np.ones((4, 1)))
    assert flat.criterion is None
    found, _ = truths(flat, np.full(4, 0.7), errors(np.zeros(4), independent=1.0))
    np.testing.assert_allclose(found.mean, 0.7)


def draw(rng, *, effect):
    """(truth, seen, errors) of 12 sources on 12 targets, whose targets share half of their cells' noise variance."""
    s, t = (axis.ravel() for axis in np.meshgrid(np.arange(12), np.arange(12), indexing="ij"))
    scale = rng.uniform(0.5, 1.5, size=12)[t]
    truth = effect * (rng.normal(size=12)[s] + rng.normal(size=12)[t] + rng.normal(size=s.size))
    noise = np.sqrt(0.5 * scale) * (rng.normal(size=12)[t] + rng.normal(size=s.size))
    known = KnownErrors(independent=0.5 * scale, common=0.0 * scale, of_factor={"t": 0.5 * scale})
    return {"s": s, "t": t}, truth, truth + noise, known


def test_posteriors_cover_where_errors_are_shared_and_unequal():
    rng = np.random.default_rng(3)
    hits, believed, unaware = [], [], []
    for _ in range(150):
        factors, truth, seen, known = draw(rng, effect=1.0)
        found, _ = truths(explain(factors, seen, ones(seen)), seen, known)
        hits.append((np.abs(truth - found.mean) <= 1.96 * found.sd).mean())
        factors, _, seen, known = draw(rng, effect=0.0)
        model = explain(factors, seen, ones(seen))
        all_independent = KnownErrors(
            independent=known.independent + known.of_factor["t"], common=known.common, of_factor={}
        )
        believed.append(truths(model, seen, known)[0].probability_at_most(-1.0).mean())
        unaware.append(truths(model, seen, all_independent)[0].probability_at_most(-1.0).mean())
    assert 0.93 < np.mean(hits) < 0.97
    # Noise alone puts 16% of the values seen below -1; taking the targets' part for effects, half of that is believed.
    assert np.mean(believed) < 0.03
    assert np.mean(unaware) > 0.06
