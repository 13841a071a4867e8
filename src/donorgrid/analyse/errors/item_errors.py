"""Standard errors from items, added to the headline tables where item answers are at hand."""

from collections.abc import Callable, Sequence

import polars as pl

from donorgrid.analyse.errors.item_sums import (
    Mask,
    donor_sets,
    item_sums,
    over_models_se,
    recipient_sets,
    regime_sets,
    source_sets,
)
from donorgrid.analyse.errors.paired_differences import ArmDifferences


def with_item_errors(found: dict[str, pl.DataFrame], own: Sequence[ArmDifferences]) -> dict[str, pl.DataFrame]:
    """The regimes and roles with their ``_noise_se_pp`` columns; empty where no item answers are at hand."""
    return found | {
        "regimes": _joined(found["regimes"], own, regime_sets, "regime", "mean_noise_se_pp"),
        "roles_language": _roles(found["roles_language"], own, "language"),
        "roles_task": _roles(found["roles_task"], own, "task"),
    }


def source_errors(own: Sequence[ArmDifferences]) -> pl.DataFrame:
    """Columns source_name and noise_se_pp: the item error of each source's mean transfer."""
    return _errors(own, source_sets, "source_name", "noise_se_pp")


def _roles(table: pl.DataFrame, own: Sequence[ArmDifferences], axis: str) -> pl.DataFrame:
    donors = _joined(table, own, lambda made: donor_sets(made, axis), axis, "donor_noise_se_pp")
    return _joined(donors, own, lambda made: recipient_sets(made, axis), axis, "recipient_noise_se_pp")


def _joined(
    table: pl.DataFrame,
    own: Sequence[ArmDifferences],
    sets: Callable[[ArmDifferences], dict[str, Mask]],
    key: str,
    column: str,
) -> pl.DataFrame:
    return table.join(_errors(own, sets, key, column), on=key, how="left", maintain_order="left")


def _errors(
    own: Sequence[ArmDifferences], sets: Callable[[ArmDifferences], dict[str, Mask]], key: str, column: str
) -> pl.DataFrame:
    found = [item_sums(made, sets(made)) for made in own]
    names = sorted({name for one in found for name in one.names})
    errors = [over_models_se(found, name) for name in names]
    return pl.DataFrame({key: names, column: errors}, schema={key: pl.String, column: pl.Float64})
