"""Transfer against linguistic distance."""

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings, analyse
from donorgrid.analyse.reading.arms import judged
from donorgrid.analyse.tables.linguistic import linguistic_table
from donorgrid.simulate import SimulationSettings, simulate_tables

LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "it")
QUICK = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=0)


@pytest.fixture(scope="module")
def cells():
    return simulate_tables(SimulationSettings(n_models=2, tasks=("a", "b"), languages=LANGUAGES, n_items=200)).deltas


def near_helps(cells, distances):
    """Every MT-CL delta falls by 4 pp per unit of distance."""
    both = pl.DataFrame(
        [(*pair, far) for (a, b), far in distances.items() for pair in ((a, b), (b, a))],
        schema=["source_language", "target_language", "far"], orient="row",
    )  # fmt: skip
    joined = cells.join(both, on=["source_language", "target_language"], how="left", maintain_order="left")
    return joined.with_columns(delta_pp=pl.col("delta_pp") - 4 * pl.col("far").fill_null(0)).drop("far")


def test_a_relation_with_script_is_found_by_delta_and_by_specific_transfer(cells):
    from donorgrid.facts.distances import built_in_distances

    script = built_in_distances(LANGUAGES)["script"]
    table = analyse(near_helps(cells, script).drop("n_items"), settings=QUICK)["linguistic"]
    rows = {(row["distance"], row["transfer"]): row for row in table.iter_rows(named=True)}
    assert {name for name, _ in rows} == {"family", "branch", "script"}
    assert {transfer for _, transfer in rows} == {"delta", "specific: other sources"}
    for transfer in ("delta", "specific: other sources"):
        assert rows["script", transfer]["pearson"] < -0.6
        assert rows["script", transfer]["pearson_p_value"] < 0.05
    assert rows["script", "delta"]["n_languages"] == 8
    assert rows["script", "delta"]["n_pairs"] == 56


def test_distances_of_the_users_own_join_in_and_holes_shrink_them(cells):
    rng = np.random.default_rng(0)
    own = {(a, b): float(rng.random()) for a in LANGUAGES for b in LANGUAGES if a < b}
    holed = {pair: value for pair, value in own.items() if pair != ("ar", "bn")}
    few = {pair: value for pair, value in own.items() if set(pair) <= {"de", "en", "es"}}
    settings = AnalysisSettings(
        n_bootstrap=0, n_permutations=0, distances={"own": own, "holed": holed, "few": few}, n_language_permutations=49
    )
    found = linguistic_table(judged(cells, settings), {}, settings)
    table = {row["distance"]: row for row in found.iter_rows(named=True)}
    assert table["own"]["n_languages"] == 8
    assert table["holed"]["n_languages"] == 7
    assert "few" not in table
    assert table["own"]["n_permutations"] == 49


def test_unknown_languages_have_no_built_in_distance(cells):
    renamed = cells.with_columns(pl.col("source_language", "target_language") + "-unknown-x")
    strange = renamed.with_columns(pl.col("source_language", "target_language").str.replace("^", "x"))
    assert linguistic_table(judged(strange, QUICK), {}, QUICK).height == 0
