"""From measured answers to the noise that a next study can plan with."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.run_errors import run_variances
from donorgrid.core.errors import InputError
from donorgrid.core.regimes import TRANSFER, TRANSFER_REGIMES
from donorgrid.core.tables import DELTAS
from donorgrid.statistics.errors.run_variance import cell_correlation, flip_rate, model_sd, seed_correlation
from donorgrid.statistics.power import Noise

_KEY = list(DELTAS.key)


def measured_noise(
    deltas: pl.DataFrame, by_seed: pl.DataFrame | None = None, *, regimes: pl.DataFrame | None = None
) -> Noise:
    """The flip rate, correlations and spreads of a study that was measured.

    Parameters
    ----------
    deltas : DataFrame
        DELTAS with item errors (``se_pp``).
    by_seed : DataFrame, optional
        DELTAS_BY_SEED with item errors: tells the correlation between seeds and the spread between runs.
    regimes : DataFrame, optional
        REGIMES as ``analyse`` returns them: tells the correlation between cells and the spread between models.

    Returns
    -------
    Noise
        What the tables do not tell keeps the default of ``Noise``.

    Raises
    ------
    InputError
        When no transfer cell has an item error.
    """
    cells = deltas.filter(pl.col("regime").is_in(TRANSFER_REGIMES))
    if "se_pp" not in cells.columns or cells["se_pp"].null_count() == cells.height:
        raise InputError("measured noise: no cell has an error from items (se_pp); a flip rate must be assumed")
    seeds = cells.with_columns(pl.col("n_seeds").fill_null(1)) if by_seed is None else by_seed
    single = seeds.join(cells.select(_KEY), on=_KEY, how="semi", nulls_equal=True)
    variances = run_variances(cells, by_seed)["run_variance"]
    known = {
        "flip_rate": _flip_rate(single),
        "seed_correlation": _seed_correlation(cells, single),
        "run_sd_pp": float(np.sqrt(np.mean(variances.to_numpy()))),
    }
    if regimes is not None:
        known |= _between_cells(cells, regimes.filter(pl.col("regime") == TRANSFER).row(0, named=True))
    return Noise(**{name: value for name, value in known.items() if value is not None}, origin="measured")


def _flip_rate(single: pl.DataFrame) -> float:
    n_items = single["n_items"].cast(pl.Float64).to_numpy()
    delta, se = single["delta_pp"].to_numpy() / 100.0, single["se_pp"].fill_null(np.nan).to_numpy() / 100.0
    return flip_rate(delta, se, n_items)


def _seed_correlation(cells: pl.DataFrame, single: pl.DataFrame) -> float | None:
    """None where no cell has two seeds."""
    if "train_seed" not in single.columns:
        return None
    of_cells = single.group_by(_KEY).agg(single=(pl.col("se_pp") ** 2).mean(), seeds=pl.len())
    several = cells.join(of_cells, on=_KEY, how="inner", nulls_equal=True).filter(pl.col("seeds") > 1)
    if not several.height:
        return None
    columns = (several["single"], several["se_pp"] ** 2, several["seeds"])
    return seed_correlation(*(float(column.mean()) for column in columns))  # type: ignore[arg-type]


def _between_cells(cells: pl.DataFrame, transfer: dict[str, float | None]) -> dict[str, float | None]:
    """What the row of all transfer cells tells: the correlation between cells, and the spread between models."""
    n_models = int(transfer["n_models"] or 0)
    from_items, over_models = transfer["mean_noise_se_pp"], transfer["mean_se_pp"]
    correlation = None
    if from_items is not None:
        cell = float(np.nanmean(cells["se_pp"].fill_null(np.nan).to_numpy() ** 2))
        n_blocks = cells["target_task"].n_unique()
        correlation = cell_correlation(from_items**2, cell, n_cells=cells.height, n_models=n_models, n_blocks=n_blocks)
    spread = None if over_models is None else model_sd(over_models**2, (from_items or 0.0) ** 2, n_models)
    return {"cell_correlation": correlation, "model_sd_pp": spread}
