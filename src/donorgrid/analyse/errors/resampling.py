"""Deltas under clustered resampling: models, training runs and item IDs are drawn again, each as a whole.

An item ID drawn twice counts twice in every language, source, seed and model that has it. A run drawn twice counts
twice on all its targets; of the spread between runs only the part that items do not explain is resampled, for the rest
is in the items already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.analyse.errors.run_errors import run_deviations, run_variances
from donorgrid.analyse.reading.paired_differences import ArmDifferences, n_clusters
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Reals, Singles
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.errors.resampling import counts_of_counts, draw_counts, enlarged_deviations

FEWEST_MODELS = 3
"""With fewer models, the intervals hold for these models, and models are not resampled."""


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """The cells of one model under every draw.

    Attributes
    ----------
    paired : ArmDifferences
        The cells as measured.
    delta_pp : ndarray of float32
        Deltas in percentage points, shape ``(n_sources, n_targets, n_draws)``; NaN where a cell has no answers.
    again_pp : (ndarray of float32, ndarray of float32)
        The same for two draws of what was drawn: they show what drawing does to a rate.
    """

    paired: ArmDifferences
    delta_pp: Singles
    again_pp: tuple[Singles, Singles]


def resampled_arm(
    cells: pl.DataFrame,
    differences: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    by_seed: pl.DataFrame | None = None,
) -> list[Resampled]:
    """The cells of an arm under draws of item IDs and training runs.

    Parameters
    ----------
    cells : DataFrame
        Plain cells of one arm.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``n_bootstrap`` and ``seed``.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows, of this arm and others: training runs are drawn again too.

    Returns
    -------
    list of Resampled
        One per model; empty without item answers or draws.
    """
    if not differences or settings.n_bootstrap < 2:
        return []
    arm = [name for name in ARM if by_seed is not None and name in by_seed.columns and name in cells.columns]
    seeds = by_seed.join(cells.select(arm).unique(), on=arm, nulls_equal=True) if by_seed is not None else None
    variances = run_variances(cells, by_seed)
    return resampled_deltas(differences, [run_deviations(paired, seeds, variances) for paired in differences], settings)


def resampled_deltas(
    differences: Sequence[ArmDifferences], run_parts: Sequence[Reals], settings: AnalysisSettings
) -> list[Resampled]:
    """Every model under draws of item IDs and runs.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model.
    run_parts : sequence of ndarray
        One per model, as ``run_errors.run_deviations`` returns them.
    settings : AnalysisSettings
        ``n_bootstrap`` draws, and ``seed``.

    Returns
    -------
    list of Resampled
        One per model.
    """
    weights, *weights_again = _item_weights(differences, settings)
    resampled = []
    for number, (paired, deviations) in enumerate(zip(differences, run_parts, strict=True)):
        rng = np.random.default_rng([settings.seed, 1, number])
        from_runs = _added_by_runs(deviations, settings.n_bootstrap, rng)
        first, second = (
            _drawn(paired, again, from_runs + _added_by_runs(deviations, settings.n_bootstrap, rng))
            for again in weights_again
        )
        drawn = _drawn(paired, weights, from_runs)
        resampled.append(Resampled(paired=paired, delta_pp=drawn, again_pp=(first, second)))
    return resampled


def model_weights(n_models: int, settings: AnalysisSettings) -> Reals:
    """How often each model counts in each draw.

    Parameters
    ----------
    n_models : int
        Models; fewer than ``FEWEST_MODELS`` count once in every draw.
    settings : AnalysisSettings
        ``n_bootstrap`` draws, and ``seed``.

    Returns
    -------
    ndarray
        Shape ``(n_draws, n_models)``.
    """
    n_draws = settings.n_bootstrap
    if n_models < FEWEST_MODELS:
        return np.ones((n_draws, n_models))
    return 1.0 + enlarged_deviations((n_draws,), n_models, np.random.default_rng([settings.seed, 2]))


def _item_weights(
    differences: Sequence[ArmDifferences], settings: AnalysisSettings
) -> tuple[dict[str, Singles], dict[str, Singles], dict[str, Singles]]:
    """Task -> how often each item ID is drawn, (IDs, draws); then the same for two draws of the drawn IDs."""
    rng = np.random.default_rng([settings.seed, 0])
    sizes = n_clusters(differences)
    drawn = {task: draw_counts(size, settings.n_bootstrap, rng) for task, size in sizes.items()}
    rng = np.random.default_rng([settings.seed, 3])
    first, second = ({task: counts_of_counts(counts, rng) for task, counts in drawn.items()} for _ in range(2))
    return drawn, first, second


def _drawn(paired: ArmDifferences, weights: dict[str, Singles], from_runs: Singles) -> Singles:
    deltas = []
    for number, (task, _, columns) in enumerate(paired.targets()):
        of_items = weights[task][paired.clusters[columns]]
        answered = paired.answered[:, columns].astype(np.float32) @ of_items
        gained = paired.summed[:, columns].astype(np.float32) @ of_items
        # Whole answers, so that a delta can lie exactly on the limit, as a measured one can.
        gained = np.rint(gained + from_runs[:, number] / 100.0 * answered)
        with np.errstate(invalid="ignore", divide="ignore"):
            deltas.append(np.where(answered > 0, np.float32(100) * gained / answered, np.float32(np.nan)))
    return np.stack(deltas, axis=1)


def _added_by_runs(deviations: Reals, n_draws: int, rng: np.random.Generator) -> Singles:
    """(sources, targets, draws): what drawing the runs of each source again adds to its deltas, in pp."""
    n_runs, n_sources, n_targets = deviations.shape
    if n_runs < 2:
        return np.zeros((n_sources, n_targets, n_draws), dtype=np.float32)
    counts = enlarged_deviations((n_draws, n_sources), n_runs, rng) / n_runs
    return np.asarray(np.einsum("bsk,kst->stb", counts, deviations, optimize=True), dtype=np.float32)
