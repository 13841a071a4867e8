"""Item errors of means: what other items would give, for the models at hand. Empty without item answers."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_contributions import ItemContributions, item_contributions
from donorgrid.analyse.reading.cell_sets import DONORS, RECIPIENTS, CellSets, regime_sets, source_sets
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.statistics.errors.clusters import clustered_se


def with_regime_errors(regimes: pl.DataFrame, differences: Sequence[ArmDifferences]) -> pl.DataFrame:
    """The regimes with ``mean_noise_se_pp``.

    Parameters
    ----------
    regimes : DataFrame
        Rows with a column ``regime``.
    differences : sequence of ArmDifferences
        One per model that has item answers.

    Returns
    -------
    DataFrame
    """
    return _with_errors(regimes, differences, regime_sets, key="regime", column="mean_noise_se_pp")


def with_role_errors(roles: pl.DataFrame, differences: Sequence[ArmDifferences], axis: str) -> pl.DataFrame:
    """The roles with ``donor_noise_se_pp`` and ``recipient_noise_se_pp``.

    Parameters
    ----------
    roles : DataFrame
        Rows with a column named by ``axis``.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    axis : {"language", "task"}
        Whose roles they are.

    Returns
    -------
    DataFrame
    """
    donors = _with_errors(roles, differences, DONORS[axis], key=axis, column="donor_noise_se_pp")
    return _with_errors(donors, differences, RECIPIENTS[axis], key=axis, column="recipient_noise_se_pp")


def source_errors(differences: Sequence[ArmDifferences]) -> pl.DataFrame:
    """Columns source_name and noise_se_pp: the item error of each source's mean transfer."""
    return _errors(differences, source_sets, key="source_name", column="noise_se_pp")


def error_over_models(by_model: Sequence[ItemContributions], name: str) -> float | None:
    """The item error of the mean over the models that have a set of cells.

    Parameters
    ----------
    by_model : sequence of ItemContributions
        One per model. Models with equally many clusters share their items.
    name : str
        The set of cells.

    Returns
    -------
    float or None
        Percentage points; None where no model has the set, or an error is not defined.
    """
    rows = [model.centred[model.names.index(name)] for model in by_model if name in model.names]
    if not rows:
        return None
    if len({row.size for row in rows}) == 1:
        se = float(clustered_se((np.sum(rows, axis=0) / len(rows))[None])[0])
    else:
        se = float(np.sqrt(np.sum([clustered_se(row[None])[0] ** 2 for row in rows])) / len(rows))
    return se if np.isfinite(se) else None


def _with_errors(
    table: pl.DataFrame, differences: Sequence[ArmDifferences], sets: CellSets, *, key: str, column: str
) -> pl.DataFrame:
    errors = _errors(differences, sets, key=key, column=column)
    return table.join(errors, on=key, how="left", maintain_order="left")


def _errors(differences: Sequence[ArmDifferences], sets: CellSets, *, key: str, column: str) -> pl.DataFrame:
    by_model = [item_contributions(paired, sets(paired)) for paired in differences]
    names = sorted({name for model in by_model for name in model.names})
    errors = [error_over_models(by_model, name) for name in names]
    return pl.DataFrame({key: names, column: errors}, schema={key: pl.String, column: pl.Float64})
