"""What a planned grid can show: the smallest delta of a cell, a role and a regime mean (docs/statistics.md)."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.core.records import Cell
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER_REGIMES, regime
from donorgrid.core.tables import POWER
from donorgrid.statistics.power import (
    TWO_SIDED,
    Averaged,
    Noise,
    Test,
    items_needed,
    noise_harm_rate,
    se_pp,
    smallest_delta_pp,
)

MEANS = {
    "cell": ("", TRANSFER_REGIMES),
    "language donor": ("source_language", ("MT-CL",)),
    "language recipient": ("target_language", ("MT-CL",)),
    "task donor": ("source_task", ("CT-ML",)),
    "task recipient": ("target_task", ("CT-ML",)),
    "source": ("source", TRANSFER_REGIMES),
    **{f"mean of {name}": (None, (name,)) for name in TRANSFER_REGIMES},
    "mean of transfer": (None, TRANSFER_REGIMES),
}
"""What is averaged -> the column that names its members ('' for a single cell, None for all together), its regimes."""


def power_table(
    sources: Sequence[Cell],
    targets: Sequence[Cell],
    *,
    n_items: int,
    n_seeds: int,
    n_models: int,
    noise: Noise,
    wanted_pp: float = 1.0,
    harm_limit_pp: float = 1.0,
    test: Test = TWO_SIDED,
) -> pl.DataFrame:
    """Compute the POWER rows of a grid of source cells and target cells.

    A single cell is of one model, with the error of its items; a role or mean is over models. A mean without a cell in
    the grid has no row.

    Parameters
    ----------
    sources, targets
        The cells.
    n_items
        Test items of each target.
    n_seeds, n_models
        Train seeds and base models.
    noise
        The variances that the errors come from.
    wanted_pp
        The delta (pp) for which ``items_needed`` is computed.
    harm_limit_pp
        The limit (pp) for which ``noise_harm_rate`` is computed.
    test
        Level, power and number of tests.

    Returns
    -------
    polars.DataFrame
        With the columns of POWER.

    Raises
    ------
    InputError
        For a count below one.
    """
    pairs = _pairs(sources, targets)
    rows = []
    for what, (column, regimes) in MEANS.items():
        cells = pairs.filter(pl.col("regime").is_in(regimes))
        if not cells.height:
            continue
        n_cells, n_blocks = _size(cells, column)
        is_single = column == ""
        design = Averaged(
            n_items=n_items,
            n_seeds=n_seeds,
            n_models=1 if is_single else n_models,
            n_cells=n_cells,
            n_blocks=n_blocks,
        )
        member_noise = _of_one_model(noise) if is_single else noise
        harm = {"harm_limit_pp": harm_limit_pp, "noise_harm_rate": noise_harm_rate(member_noise, design, harm_limit_pp)}
        rows.append({"what": what, **_power_row(design, member_noise, wanted_pp, test), **harm})
    return POWER.check(pl.DataFrame(rows, schema=dict(POWER.columns)))


def _power_row(design: Averaged, noise: Noise, wanted_pp: float, test: Test) -> dict[str, object]:
    """The columns of POWER that follow from a design, its noise and the test."""
    return {
        "n_models": design.n_models,
        "n_cells": design.n_cells,
        "n_seeds": design.n_seeds,
        "n_items": design.n_items,
        "se_pp": se_pp(noise, design),
        "smallest_delta_pp": smallest_delta_pp(noise, design, test),
        "wanted_pp": wanted_pp,
        "items_needed": items_needed(noise, design, wanted_pp, test),
        "flip_rate": noise.flip_rate,
        "origin": noise.origin,
        "level": test.level / test.n_tests,
        "power": test.power,
    }


def _of_one_model(noise: Noise) -> Noise:
    return Noise(**{**vars(noise), "model_sd_pp": 0.0})


def _pairs(sources: Sequence[Cell], targets: Sequence[Cell]) -> pl.DataFrame:
    rows = [(s.task, s.language, str(s), t.task, t.language) for s in sources for t in targets]
    names = ["source_task", "source_language", "source", "target_task", "target_language"]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    ends = ("source_task", "source_language", "target_task", "target_language")
    named = np.atleast_1d(regime(*(frame[name].to_numpy() for name in ends)))
    return frame.with_columns(regime=pl.Series(named, dtype=pl.String)).filter(pl.col("regime") != TRAINED_CELL)


def _size(cells: pl.DataFrame, column: str | None) -> tuple[int, int]:
    """(number of cells, number of target tasks) in the mean of one member; the smallest where members differ."""
    if column == "":
        return 1, 1
    if column is None:
        return cells.height, cells["target_task"].n_unique()
    sizes = cells.group_by(column).agg(cells=pl.len(), tasks=pl.col("target_task").n_unique())
    smallest = sizes.sort("cells", "tasks", column).row(0, named=True)
    return int(smallest["cells"]), int(smallest["tasks"])
