"""Is any cell harmed at all? Sign flips of whole items, shared by every cell, model and language that has the item."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.reading.paired_differences import ArmDifferences, n_clusters
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Singles
from donorgrid.core.regimes import TRAINED_CELL, regime
from donorgrid.statistics.multiplicity import flipped_maxima, max_t_adjusted, standardised_sums

KEY = ["model", "source_name", "target_task", "target_language"]


def max_t_table(differences: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """P-values of harm and of gain, adjusted over all transfer cells of one arm.

    Under no effect an item's gain and loss are equally likely, for all cells that share the item at once: every item ID
    of a task gets one random sign, over languages, sources, seeds and models.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``n_bootstrap`` random signs, and ``seed``.

    Returns
    -------
    DataFrame
        ``KEY``, max_t_p_value_decrease and max_t_p_value_increase; no rows without answers or draws.
    """
    if not differences or settings.n_bootstrap < 1:
        p_values = dict.fromkeys(("max_t_p_value_decrease", "max_t_p_value_increase"), pl.Float64)
        schema = dict.fromkeys(KEY, pl.String) | p_values
        return pl.DataFrame(schema=schema)
    signs = _signs(differences, settings)
    largest, smallest = np.full(settings.n_bootstrap, -np.inf), np.full(settings.n_bootstrap, np.inf)
    of_models = []
    for paired in differences:
        blocks, block_signs, cells = _blocks(paired, signs)
        extremes = flipped_maxima(blocks, block_signs)
        largest, smallest = np.maximum(largest, extremes[0]), np.minimum(smallest, extremes[1])
        of_models.append(cells)
    table = pl.concat(of_models)
    z = table["z"].fill_null(np.nan).to_numpy()
    return table.with_columns(
        max_t_p_value_decrease=pl.Series(max_t_adjusted(-z, -smallest), nan_to_null=True),
        max_t_p_value_increase=pl.Series(max_t_adjusted(z, largest), nan_to_null=True),
    ).drop("z")


def _signs(differences: Sequence[ArmDifferences], settings: AnalysisSettings) -> dict[str, Singles]:
    """Task -> random signs, (clusters, draws)."""
    sizes = n_clusters(differences)
    rng = np.random.default_rng([settings.seed, len(sizes)])
    draws = settings.n_bootstrap
    return {task: rng.integers(0, 2, (size, draws)).astype(np.float32) * 2 - 1 for task, size in sizes.items()}


def _blocks(paired: ArmDifferences, signs: dict[str, Singles]) -> tuple[list[Singles], list[Singles], pl.DataFrame]:
    """Per target: the differences of its transfer cells, the signs of its items, and the cells with their z."""
    blocks, block_signs, cells = [], [], []
    for task, language, columns in paired.targets():
        regimes = np.atleast_1d(regime(paired.source_tasks, paired.source_languages, task, language))
        block = paired.summed[:, columns].astype(np.float32)
        transfer = (regimes != TRAINED_CELL) & paired.answered[:, columns].any(axis=1)
        blocks.append(block[transfer])
        block_signs.append(signs[task][paired.clusters[columns]])
        names, z = np.array(paired.source_names)[transfer], standardised_sums(block[transfer])
        cells.append(
            pl.DataFrame({"source_name": names, "z": z}, schema={"source_name": pl.String, "z": pl.Float64}).select(
                pl.lit(paired.model).alias("model"), "source_name", pl.lit(task).alias("target_task"),
                pl.lit(language).alias("target_language"), pl.col("z").fill_nan(None),
            )
        )  # fmt: skip
    return blocks, block_signs, pl.concat(cells)
