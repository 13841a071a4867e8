"""The true values behind rows with correlated measurement errors, given a mixed model of the rows.

y = X b + sum_f Z_f (u_f + n_f) + c + e + n_0. u_f and c are true effects, n_f is the error that the rows of a level
share, n_0 the error that all rows share, e the independent error of a row. The variances of the errors are known from
elsewhere; the fit sees only the sums u_f + n_f and c + e.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.errors.shared_noise import SharedNoise
from donorgrid.statistics.mixed_models.explained import Explained
from donorgrid.statistics.shrinkage import Posterior, weights

_NODES, _MASSES = np.polynomial.legendre.leggauss(120)
_REACH = 12.0


@dataclass(frozen=True, kw_only=True)
class KnownErrors:
    """Variances of the parts of each row's error, in squared units of the response.

    Attributes
    ----------
    independent : ndarray
        Of the part that no other row shares (e), shape ``(n,)``.
    common : ndarray
        Of the part that all rows share (n_0), shape ``(n,)``.
    of_factor : mapping of str to ndarray
        Factor -> of the part that the rows of a level share (n_f), shape ``(n,)``.
    of_beta : ndarray or None
        Covariance that beta has from the errors, shape ``(p, p)``; None where it is not known.
    """

    independent: Reals
    common: Reals
    of_factor: Mapping[str, Reals]
    of_beta: Reals | None = None


def errors_in_proportion(noise: Reals, shared: SharedNoise, *, factors: Iterable[str]) -> KnownErrors:
    """Splits the noise of each row into parts, each the same share of every row's noise: noisy rows share more.

    Parameters
    ----------
    noise : ndarray
        Error variance of each row, shape ``(n,)``.
    shared : SharedNoise
        The mean variances that rows have in common.
    factors : iterable of str
        Factors of the model.

    Returns
    -------
    KnownErrors
    """
    mean = float(noise.mean())
    if mean == 0.0:
        return KnownErrors(independent=noise, common=noise, of_factor={})
    of_factor = {name: shared.of_factor.get(name, 0.0) / mean for name in factors}
    common = shared.common / mean
    independent = max(0.0, 1.0 - common - sum(of_factor.values()))
    return KnownErrors(
        independent=independent * noise,
        common=common * noise,
        of_factor={name: share * noise for name, share in of_factor.items()},
        of_beta=shared.of_means,
    )


def truths(model: Explained, y: Reals, errors: KnownErrors) -> tuple[Posterior, float]:
    """The posteriors of the true values X b + sum_f Z_f u_f + c.

    With k_f the true share of a factor's variance and w that of a row's residual,

        mean: X b* + sum_f k_f U_f + w (y - X b* - sum_f U_f),  U_f the predictions of u_f + n_f
        variance: a' C a + common + sum_f k_f (shared within f) + w (independent),  a = (1 - w) on X, k_f - w on U_f

    where C is the covariance of the errors of b and U_f (Henderson). This is the normal posterior under the full
    covariance of the errors. b* = k_b b is b without the part that its errors explain (``_kept_beta``); C loses the
    share 1 - k_b of their covariance. All shares are estimated (``_share_variance``). That adds var(k_f) U_f^2,
    var(k_b) ((1 - w) X b)^2, and var(w) times the squared residual (Morris).

    Parameters
    ----------
    model : Explained
        The fit of the rows.
    y : ndarray
        The response, shape ``(n,)``.
    errors : KnownErrors
        Variances of the parts of each row's error.

    Returns
    -------
    posterior : Posterior
        Shape ``(n,)``.
    variance : float
        The variance of c.

    References
    ----------
    Henderson 1975, Biometrics 31. Morris 1983, J. Am. Stat. Assoc. 78, section 4.
    """
    row_variance = max(0.0, model.residual - float(errors.independent.mean()))
    weight = weights(row_variance, errors.independent)
    fixed = (1.0 - weight)[:, None] * model.fixed
    kept_beta, of_kept_beta = _kept_beta(model.beta, errors.of_beta)
    mean = weight * y + kept_beta * (fixed @ model.beta)
    variance = errors.common + weight * errors.independent + of_kept_beta * (fixed @ model.beta) ** 2
    variance = variance + _weight_variance(model, errors) * (y - model.predicted) ** 2
    if errors.of_beta is not None:
        variance = variance - (1.0 - kept_beta) * np.einsum("ni,ij,nj->n", fixed, errors.of_beta, fixed)
    loads = {}
    for name, effect in model.effects.items():
        shared = errors.of_factor.get(name, np.zeros_like(y))
        kept = weights(max(0.0, model.variances[name] - float(shared.mean())), shared)
        n_levels = len(np.unique(model.columns[name]))
        of_kept = _share_variance(float(shared.mean()) / model.variances[name], n_levels)
        loads[name] = kept - weight
        mean = mean + loads[name] * effect
        variance = variance + kept * shared + of_kept * effect**2
    spread = _spread(model, fixed, loads)
    return Posterior(mean=mean, sd=np.sqrt(np.maximum(variance + spread, 0.0))), row_variance


def _weight_variance(model: Explained, errors: KnownErrors) -> float:
    """The variance of w, which has n - p degrees of freedom."""
    if model.residual <= 0.0:
        return 0.0
    n_rows, n_fixed = model.fixed.shape
    return _share_variance(float(errors.independent.mean()) / model.residual, n_rows - n_fixed + 1)


def _kept_beta(beta: Reals, errors: Reals | None) -> tuple[float, float]:
    """k = 1 - p / b'G^-1 b, at least 0, and its variance: the share of p means that their errors G do not explain.

    Empirical Bayes with a prior around zero that is G times an unknown number (Efron & Morris 1973, J. Am. Stat. Assoc.
    68).
    """
    distance = 0.0 if errors is None else float(beta @ np.linalg.pinv(errors, hermitian=True) @ beta)
    if distance <= 0.0:
        return 1.0, 0.0
    noise_share = len(beta) / distance
    return max(0.0, 1.0 - noise_share), _share_variance(noise_share, len(beta) + 1)


def _share_variance(noise_share: float, n_levels: int) -> float:
    """The variance of a true share k = 1 - noise / observed variance, the latter from ``n_levels`` levels.

    The relative error of the observed variance is sqrt(2 / (levels - 1)). The error of k is normal, cut off at 0 and 1.
    """
    if noise_share <= 0.0:
        return 0.0
    return cut_variance(1.0 - noise_share, noise_share * float(np.sqrt(2.0 / (n_levels - 1))))


def cut_variance(mean: float, sd: float) -> float:
    """The variance of a normal distribution cut off at 0 and 1, by Gauss-Legendre sums where its mass lies.

    The closed form subtracts nearly equal tails and loses precision; the sums do not. With a mean many sd below 0, the
    density falls like an exponential of scale sd^2 / |mean|.

    Parameters
    ----------
    mean : float
        Mean of the normal distribution, at most 1.
    sd : float
        Its standard deviation, above 0.

    Returns
    -------
    float
    """
    reach = sd * min(1.0, sd / abs(mean)) if mean < 0.0 else sd
    low, high = max(0.0, mean - _REACH * sd), min(1.0, max(mean, 0.0) + _REACH * reach)
    points = low + (high - low) * (_NODES + 1.0) / 2.0
    exponents = -0.5 * ((points - mean) / sd) ** 2
    mass = _MASSES * np.exp(exponents - exponents.max())
    centre = float(mass @ points / mass.sum())
    return float(mass @ (points - centre) ** 2 / mass.sum())


def _spread(model: Explained, fixed: Reals, loads: Mapping[str, Reals]) -> Reals:
    """a' C a of every row, shape ``(n,)``."""
    covariance, n_fixed = model.covariance, fixed.shape[1]
    total = np.einsum("ni,ij,nj->n", fixed, covariance[:n_fixed, :n_fixed], fixed)
    for name, load in loads.items():
        columns = model.columns[name]
        total = total + 2.0 * load * (fixed * covariance[columns, :n_fixed]).sum(axis=1)
        for other, other_load in loads.items():
            total = total + load * other_load * covariance[columns, model.columns[other]]
    return np.asarray(total)
