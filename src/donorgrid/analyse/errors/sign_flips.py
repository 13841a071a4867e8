"""Is any cell harmed at all? Sign flips of whole items, shared by every cell, model and language that has the item."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.regimes import TRAINED_CELL, regime
from donorgrid.statistics.multiplicity import flipped_maxima, max_t_adjusted

KEY = ["model", "source_name", "target_task", "target_language"]


def max_t_table(own: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """Columns KEY and max_t_harm, max_t_help: p-values adjusted over all transfer cells of one arm.

    Under no effect an item's gain and loss are equally likely, for all cells that share the item at once: every item ID
    of a task gets one random sign, over languages, sources, seeds and models.
    """
    if not own or settings.n_bootstrap < 1:
        schema = dict.fromkeys(KEY, pl.String) | {"max_t_harm": pl.Float64, "max_t_help": pl.Float64}
        return pl.DataFrame(schema=schema)
    flips = _signs(own, settings)
    extremes = np.stack([np.full(settings.n_bootstrap, -np.inf), np.full(settings.n_bootstrap, np.inf)])
    statistics = []
    for made in own:
        blocks, signs, labels = _blocks(made, flips)
        found = flipped_maxima(blocks, signs)
        extremes = np.stack([np.maximum(extremes[0], found[0]), np.minimum(extremes[1], found[1])])
        statistics.append(labels)
    table = pl.concat(statistics)
    z = table["z"].fill_null(np.nan).to_numpy()
    return table.with_columns(
        max_t_harm=pl.Series(max_t_adjusted(-z, -extremes[1]), nan_to_null=True),
        max_t_help=pl.Series(max_t_adjusted(z, extremes[0]), nan_to_null=True),
    ).drop("z")


def _signs(own: Sequence[ArmDifferences], settings: AnalysisSettings) -> dict[str, npt.NDArray[np.float32]]:
    """Per task, random signs (clusters, draws)."""
    sizes: dict[str, int] = {}
    for made in own:
        for task, size in made.n_clusters.items():
            sizes[task] = max(size, sizes.get(task, 0))
    rng = np.random.default_rng([settings.seed, len(sizes)])
    draws = settings.n_bootstrap
    return {task: rng.integers(0, 2, (size, draws)).astype(np.float32) * 2 - 1 for task, size in sorted(sizes.items())}


def _blocks(
    made: ArmDifferences, flips: dict[str, npt.NDArray[np.float32]]
) -> tuple[list[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]], pl.DataFrame]:
    """Per target: the differences of its transfer cells, the signs of its items, and the cells' labels with their z."""
    blocks, signs, labels = [], [], []
    for task, language, columns in made.targets():
        named = np.atleast_1d(regime(made.source_tasks, made.source_languages, task, language))
        block = made.summed[:, columns].astype(np.float32)
        transfer = (named != TRAINED_CELL) & made.answered[:, columns].any(axis=1)
        chosen = block[transfer]
        scale = np.sqrt((chosen.astype(np.float64) ** 2).sum(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(scale > 0, chosen.sum(axis=1) / scale, np.nan)
        blocks.append(chosen)
        signs.append(flips[task][made.clusters[columns]])
        names = np.array(made.source_names)[transfer]
        labels.append(
            pl.DataFrame({"source_name": names, "z": z}, schema={"source_name": pl.String, "z": pl.Float64}).select(
                pl.lit(made.model).alias("model"), "source_name", pl.lit(task).alias("target_task"),
                pl.lit(language).alias("target_language"), pl.col("z").fill_nan(None),
            )
        )  # fmt: skip
    return blocks, signs, pl.concat(labels)
