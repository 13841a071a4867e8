"""What a planned grid can show."""

import polars as pl
import pytest

from donorgrid.core.records import Cell
from donorgrid.plan.power import power_table
from donorgrid.statistics.power import Averaged, Noise, smallest_delta_pp

CELLS = [Cell(task=task, language=language) for task in "abcd" for language in ("de", "en", "it", "pt", "zh")]
NOISE = Noise(model_sd_pp=0.5)


def table(cells=CELLS, targets=CELLS, **more):
    options = {"n_items": 400, "n_seeds": 3, "n_models": 9, "noise": NOISE} | more
    return power_table(cells, targets, **options)


def test_every_mean_counts_its_cells():
    found = dict(table().select("what", "n_cells").rows())
    assert found == {
        "cell": 1,
        "language donor": 16,
        "language recipient": 16,
        "task donor": 15,
        "task recipient": 15,
        "source": 19,
        "mean of MT-CL": 80,
        "mean of CT-ML": 60,
        "mean of CT-CL": 240,
        "mean of transfer": 380,
    }


def test_a_row_is_the_formula():
    row = table().filter(pl.col("what") == "language donor").row(0, named=True)
    design = Averaged(n_items=400, n_seeds=3, n_models=9, n_cells=16, n_blocks=4)
    assert row["smallest_delta_pp"] == pytest.approx(smallest_delta_pp(NOISE, design))
    assert row["origin"] == "assumed"


def test_a_cell_is_of_one_model():
    row = table().filter(pl.col("what") == "cell").row(0, named=True)
    alone = Averaged(n_items=400, n_seeds=3)
    assert row["n_models"] == 1
    assert row["smallest_delta_pp"] == pytest.approx(smallest_delta_pp(Noise(), alone))


def test_a_grid_without_a_regime_has_no_row_for_it():
    one_task = [Cell(task="a", language=language) for language in ("de", "en")]
    assert "task donor" not in table(one_task, one_task)["what"].to_list()
    assert table(one_task[:1], one_task[:1]).height == 0


def test_unequal_members_are_promised_what_the_smallest_of_them_can_show():
    cells = [Cell(task="a", language=language) for language in ("de", "en", "it")]
    cells += [Cell(task="b", language=language) for language in ("de", "en")]
    found = {row["what"]: row["n_cells"] for row in table(cells, cells).to_dicts()}
    assert found["language donor"] == 2  # Italian: two targets; German and English: three
    assert found["mean of MT-CL"] == 8
