"""Pairs that share texts: their table, and the headline without them."""

from dataclasses import replace

import polars as pl
import pytest
from answer_grids import random_grid

from donorgrid.analyse import AnalysisSettings, analyse, deltas, pair_answers
from donorgrid.analyse.registry import HEADLINE, UNSHARED, WITHOUT_SHARED
from donorgrid.core.records import Cell, SharedItems

QUICK = AnalysisSettings(n_bootstrap=60, n_permutations=0, n_splits=5)


def shared(source: str, target: str) -> SharedItems:
    cells = {"source": source, "target": target}
    ends = {name: Cell(task=text.split("/")[0], language=text.split("/")[1]) for name, text in cells.items()}
    return SharedItems(**ends, n_shared=3, n_items=40, example="i001", parallel=source[-2:] != target[-2:])


PAIRS = (shared("alpha/en", "beta/en"), shared("alpha/en", "beta/de"), shared("beta/it", "beta/it"))


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    """The grid, and one more pair that was not measured."""
    return tables_of(replace(QUICK, shared_items=(*PAIRS, shared("gamma/en", "beta/en"))))


def tables_of(settings: AnalysisSettings) -> dict[str, pl.DataFrame]:
    answers = pair_answers(*random_grid(3, n_items=80))
    return analyse(deltas(answers, metric="acc_norm"), answers=[answers], settings=settings)


def test_every_measured_pair_is_a_row_with_what_came_of_it(tables: dict[str, pl.DataFrame]) -> None:
    table = tables["shared_texts"]
    assert table.select("source_task", "source_language", "target_task", "target_language", "regime").rows() == [
        ("alpha", "en", "beta", "en", "CT-ML"),
        ("alpha", "en", "beta", "de", "CT-CL"),
        ("beta", "it", "beta", "it", "MT-ML"),
    ]
    assert table.select("n_shared", "n_items", "parallel", "example").rows()[1] == (3, 40, True, "i001")
    cells = tables["cells"]
    measured = cells.filter(source_task="alpha", source_language="en", target_task="beta", target_language="de")
    assert table["mean_delta_pp"][1] == pytest.approx(measured["delta_pp"].item())


def test_the_headline_without_them_is_that_of_the_other_cells(tables: dict[str, pl.DataFrame]) -> None:
    assert not tables["degenerate"].height, "the grid must be sound, so that all targets are the basis"
    rows = {name: tables[name].filter(regime="transfer").row(0, named=True) for name in ("regimes", "regimes_unshared")}
    left_out = pl.struct("source_task", "source_language", "target_task", "target_language")
    pairs = [pair.source.task + pair.source.language + pair.target.task + pair.target.language for pair in PAIRS]
    name = pl.concat_str("source_task", "source_language", "target_task", "target_language")
    kept = tables["cells"].filter(~name.is_in(pairs) & (pl.col("regime") != "MT-ML"))
    assert kept.select(left_out).height == rows["regimes"]["n"] - 2 == rows["regimes_unshared"]["n"]
    assert rows["regimes_unshared"]["mean_pp"] == pytest.approx(kept["delta_pp"].mean())
    assert rows["regimes_unshared"]["harm_rate"] == pytest.approx(kept["harmed"].mean())
    of_interval = tables["intervals_unshared"].filter(kind="regime", name="transfer")
    values = dict(of_interval.select("statistic", "value").iter_rows())
    assert values["mean_pp"] == pytest.approx(kept["delta_pp"].mean())
    assert values["harm_rate"] == pytest.approx(rows["regimes_unshared"]["harm_rate"])
    assert tables["noise_unshared"].filter(regime="transfer")["n"].item() == kept.height


def test_where_nothing_is_shared_no_table_is_made_again() -> None:
    tables = tables_of(QUICK)
    assert tables["shared_texts"].is_empty()
    assert not [name for name in tables if name.endswith(UNSHARED)]
    assert set(WITHOUT_SHARED) <= {name for maker in HEADLINE for name in maker.tables}
