"""From measured answers to the noise that a next study can plan with."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.cell_errors import run_variances
from donorgrid.core.errors import InputError
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import DELTAS
from donorgrid.statistics.power import Noise

_KEY = list(DELTAS.key)


def measured_noise(
    deltas: pl.DataFrame, by_seed: pl.DataFrame | None = None, *, regimes: pl.DataFrame | None = None
) -> Noise:
    """The flip rate, correlations and spreads of a study that was measured, from its tables.

    ``deltas`` and ``by_seed`` with item errors (``se_pp``); ``regimes`` as ``analyse`` gives it adds the correlation
    between cells and the spread between models. What the tables do not tell keeps the default of ``Noise``. Raises
    InputError where no transfer cell has an item error.
    """
    cells = deltas.filter(pl.col("regime").is_in(TRANSFER_REGIMES))
    if "se_pp" not in cells.columns or cells["se_pp"].null_count() == cells.height:
        raise InputError("measured noise: no cell has an error from items (se_pp); a flip rate must be assumed")
    seeds = cells.with_columns(pl.col("n_seeds").fill_null(1)) if by_seed is None else by_seed
    one_seed = seeds.join(cells.select(_KEY), on=_KEY, how="semi", nulls_equal=True)
    flip_rate = _flip_rate(one_seed)
    known = {"flip_rate": flip_rate}
    correlation = _seed_correlation(cells, one_seed)
    if correlation is not None:
        known["seed_correlation"] = correlation
    spread = run_variances(cells, by_seed)["run_variance"]
    known["run_sd_pp"] = float(np.sqrt(np.mean(spread.to_numpy())))
    if regimes is not None:
        known |= _between_cells(cells, regimes)
    return Noise(**known, origin="measured")


def _flip_rate(rows: pl.DataFrame) -> float:
    """Mean of sum d^2 / n over cells: the item variance times n, plus the squared mean."""
    n_items = rows["n_items"].cast(pl.Float64).to_numpy()
    share, se = rows["delta_pp"].to_numpy() / 100.0, rows["se_pp"].fill_null(np.nan).to_numpy() / 100.0
    squares = se**2 * np.maximum(n_items - 1.0, 0.0) + share**2
    return float(np.clip(np.nanmean(squares), 0.0, 1.0))


def _seed_correlation(cells: pl.DataFrame, one_seed: pl.DataFrame) -> float | None:
    """r from v_S = v_1 (r + (1 - r) / S); None where no cell has two seeds."""
    if "train_seed" not in one_seed.columns:
        return None
    single = one_seed.group_by(_KEY).agg(v_one=(pl.col("se_pp") ** 2).mean(), seeds=pl.len())
    both = cells.join(single, on=_KEY, how="inner", nulls_equal=True).filter(pl.col("seeds") > 1)
    if not both.height:
        return None
    v_one, v_all = float(both["v_one"].mean()), float((both["se_pp"] ** 2).mean())  # type: ignore[arg-type]
    seeds = float(both["seeds"].mean())  # type: ignore[arg-type]
    return float(np.clip((seeds * v_all / v_one - 1.0) / (seeds - 1.0), 0.0, 1.0)) if v_one > 0 else None


def _between_cells(cells: pl.DataFrame, regimes: pl.DataFrame) -> dict[str, float]:
    """c from V = v / (K M) (1 + (K / B - 1) c) of all transfer cells, and the spread of that mean between models."""
    row = regimes.filter(pl.col("regime") == "transfer").row(0, named=True)
    n_models, found = int(row["n_models"]), {}
    if row["mean_noise_se_pp"] is not None:
        blocks = cells["target_task"].n_unique()
        per_model = cells.height / n_models
        cell = float(np.nanmean(cells["se_pp"].fill_null(np.nan).to_numpy() ** 2))
        effect = row["mean_noise_se_pp"] ** 2 * cells.height / cell
        if per_model > blocks and cell > 0:
            found["cell_correlation"] = float(np.clip((effect - 1.0) / (per_model / blocks - 1.0), 0.0, 1.0))
    if row["mean_se_pp"] is not None:
        within = (row["mean_noise_se_pp"] or 0.0) ** 2
        found["model_sd_pp"] = float(np.sqrt(max(0.0, row["mean_se_pp"] ** 2 - within) * n_models))
    return found
