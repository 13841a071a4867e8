"""Deltas under clustered resampling: models, training runs and item IDs are drawn again, each as a whole.

An item ID drawn twice counts twice in every language, source, seed and model that has it. A run drawn twice counts
twice on all its targets; of the spread between runs only the part that items do not explain is resampled, for the rest
is in the items already. Deviations of k runs or models are enlarged by sqrt(k / (k - 1)): few spread too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings

Reals = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
FEWEST_MODELS = 3
"""With fewer, what holds for these models is said, and models are not resampled."""
_KEY = ["source_name", "target_task", "target_language"]


@dataclass(frozen=True, kw_only=True)
class Resampled:
    """One model's cells under every draw: ``delta_pp`` (sources, targets, draws), NaN where a cell has no answers."""

    made: ArmDifferences
    delta_pp: Singles


def resampled_deltas(
    own: Sequence[ArmDifferences], run_parts: Sequence[Reals], settings: AnalysisSettings
) -> list[Resampled]:
    """Every model under ``n_bootstrap`` draws of item IDs and runs; ``run_parts`` as ``run_deviations`` gives them."""
    weights = _item_weights(own, settings)
    found = []
    for number, (made, deviations) in enumerate(zip(own, run_parts, strict=True)):
        rng = np.random.default_rng([settings.seed, 1, number])
        moved = _moved_by_runs(deviations, settings.n_bootstrap, rng)
        found.append(Resampled(made=made, delta_pp=_drawn(made, weights, moved)))
    return found


def model_weights(n_models: int, settings: AnalysisSettings) -> Reals:
    """(draws, models): how often each model counts; all once where there are too few to resample."""
    n_draws = settings.n_bootstrap
    if n_models < FEWEST_MODELS:
        return np.ones((n_draws, n_models))
    return 1.0 + _deviations((n_draws,), n_models, np.random.default_rng([settings.seed, 2]))


def _deviations(shape: tuple[int, ...], k: int, rng: np.random.Generator) -> Reals:
    """(*shape, k): multinomial counts less one, enlarged so that means of k vary as they should."""
    counts = rng.multinomial(k, np.full(k, 1.0 / k), size=shape)
    return np.asarray((counts - 1.0) * np.sqrt(k / (k - 1.0)))


def _item_weights(own: Sequence[ArmDifferences], settings: AnalysisSettings) -> dict[str, Singles]:
    """Per task, how often each item ID is drawn (IDs, draws)."""
    sizes: dict[str, int] = {}
    for made in own:
        for task, size in made.n_clusters.items():
            sizes[task] = max(size, sizes.get(task, 0))
    rng = np.random.default_rng([settings.seed, 0])
    return {
        task: rng.multinomial(size, np.full(size, 1.0 / size), size=settings.n_bootstrap).T.astype(np.float32)
        for task, size in sorted(sizes.items())
    }


def _drawn(made: ArmDifferences, weights: dict[str, Singles], moved: Singles) -> Singles:
    parts = []
    for place, (task, _, columns) in enumerate(made.targets()):
        own = weights[task][made.clusters[columns]]
        answered = made.answered[:, columns].astype(np.float32) @ own
        gained = made.summed[:, columns].astype(np.float32) @ own
        # Whole answers, so that a delta can lie exactly on the limit, as a measured one can.
        gained = np.rint(gained + moved[:, place] / 100.0 * answered)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(np.where(answered > 0, np.float32(100) * gained / answered, np.float32(np.nan)))
    return np.stack(parts, axis=1)


def _moved_by_runs(deviations: Reals, n_draws: int, rng: np.random.Generator) -> Singles:
    """(sources, targets, draws): what drawing the runs of each source again adds to its deltas, in pp."""
    n_runs, n_sources, n_targets = deviations.shape
    if n_runs < 2:
        return np.zeros((n_sources, n_targets, n_draws), dtype=np.float32)
    counts = _deviations((n_draws, n_sources), n_runs, rng) / n_runs
    moved = np.einsum("bsk,kst->stb", counts, deviations, optimize=True)
    return np.asarray(moved, dtype=np.float32)


def run_deviations(made: ArmDifferences, by_seed: pl.DataFrame | None, variances: pl.DataFrame) -> Reals:
    """(runs, sources, targets): each run's delta less the mean over runs, scaled to what items do not explain.

    ``variances``: rows of model, target_task, run_variance (``run_variances``). Empty without ``by_seed``.
    """
    shape = (len(made.source_names), len(made.target_tasks))
    if by_seed is None:
        return np.empty((0, *shape))
    own = by_seed.filter(pl.col("model") == made.model)
    runs = own.select("train_seed", "data_seed").unique(maintain_order=True).with_row_index("run")
    placed = own.join(runs, on=["train_seed", "data_seed"]).join(_places(made), on=_KEY)
    deltas = np.full((runs.height, *shape), np.nan)
    deltas[tuple(placed[name].to_numpy() for name in ("run", "row", "column"))] = placed["delta_pp"].to_numpy()
    if runs.height < 2:
        return np.zeros((1, *shape))
    count = (~np.isnan(deltas)).sum(axis=0)
    centred = deltas - np.nansum(deltas, axis=0) / np.maximum(count, 1)
    return np.asarray(np.nan_to_num(centred) * _scale(made, centred, count, variances))


def _places(made: ArmDifferences) -> pl.DataFrame:
    rows = pl.DataFrame({"source_name": made.source_names}).with_row_index("row")
    columns = pl.DataFrame({"target_task": made.target_tasks, "target_language": made.target_languages})
    return rows.join(columns.with_row_index("column"), how="cross")


def _scale(made: ArmDifferences, centred: Reals, count: npt.NDArray[np.intp], variances: pl.DataFrame) -> Reals:
    """(targets,) sqrt(run variance / all variance between runs), per target task."""
    named = variances.filter(pl.col("model") == made.model).select("target_task", "run_variance")
    excess = dict(named.iter_rows())
    tasks, scale = np.array(made.target_tasks), np.zeros(len(made.target_tasks))
    for task in sorted(set(made.target_tasks)):
        columns = tasks == task
        squares = np.nansum(centred[:, :, columns] ** 2, axis=0)
        degrees = np.maximum(count[:, columns] - 1, 0).sum()
        between = float(squares.sum() / degrees) if degrees else 0.0
        scale[columns] = np.sqrt(min(1.0, excess.get(task, 0.0) / between)) if between > 0 else 0.0
    return scale
