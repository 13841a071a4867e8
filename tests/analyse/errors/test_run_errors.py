"""The spread between training runs: the part that items do not explain, divided by the seeds that were averaged."""

import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.errors.cell_errors import with_uncertainty

KEY = {"recipe": "r", "model": "m", "source_name": "quiz/de", "target_task": "quiz", "target_language": "it"}


def noise_se(deltas: list[float]) -> float:
    """The error of the mean of some seeds, each with an item error of 1 pp that all of them share."""
    cells = pl.DataFrame(
        [{**KEY, "delta_pp": sum(deltas) / len(deltas), "se_pp": 1.0, "n_items": 400 * len(deltas)}]
    ).with_columns(n_seeds=pl.lit(len(deltas)))
    seeds = pl.DataFrame(
        [{**KEY, "train_seed": seed, "delta_pp": delta, "se_pp": 1.0} for seed, delta in enumerate(deltas)]
    )
    (row,) = with_uncertainty(cells, AnalysisSettings(), by_seed=seeds).to_dicts()
    return float(row["noise_se_pp"])


@pytest.mark.parametrize("deltas", [[-3.0, 3.0], [-6.0, 0.0, 0.0, 6.0]])
def test_run_variance_is_divided_by_the_seeds(deltas: list[float]) -> None:
    variance = float(pl.Series(deltas).var())  # all of it: seeds that share their items have no other reason to differ
    alike = noise_se([0.0] * len(deltas))
    assert noise_se(deltas) ** 2 - alike**2 == pytest.approx(variance / len(deltas))
