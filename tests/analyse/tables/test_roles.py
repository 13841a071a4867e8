"""Donor and recipient scores against plain means, on a grid where sources and targets differ by construction."""

from itertools import product
from statistics import fmean

import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.tables.roles import roles_language, roles_task
from donorgrid.core.regimes import regime

SETTINGS = AnalysisSettings()
TASKS, LANGUAGES, MODELS = ("alpha", "beta", "gamma"), ("de", "en", "it"), ("m0", "m1")
GIVES = {"alpha": 1.0, "beta": -2.0, "gamma": 0.5, "de": 0.1, "en": -0.4, "it": 0.3}
TAKES = {"alpha": -7.0, "beta": 11.0, "gamma": 4.0, "de": 5.0, "en": -13.0, "it": 17.0}


def cells() -> pl.DataFrame:
    """What a source gives and what a target takes add up; the models differ by a constant."""
    rows = []
    for model, *ends in product(MODELS, TASKS, LANGUAGES, TASKS, LANGUAGES):
        source_task, source_language, target_task, target_language = ends
        delta = GIVES[source_task] + GIVES[source_language] + TAKES[target_task] + TAKES[target_language]
        delta += 0.25 * MODELS.index(model)
        rows.append((model, *ends, regime(*ends), delta))
    names = ["model", "source_task", "source_language", "target_task", "target_language", "regime", "delta_pp"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize(
    ("table", "axis", "within"), [(roles_task, "task", "CT-ML"), (roles_language, "language", "MT-CL")]
)
def test_donors_are_sources_and_recipients_are_targets(table, axis: str, within: str) -> None:
    roles = {row[axis]: row for row in table(cells(), SETTINGS).iter_rows(named=True)}
    rows = [row for row in cells().iter_rows(named=True) if row["regime"] == within]
    for name in TASKS if axis == "task" else LANGUAGES:
        given = fmean(row["delta_pp"] for row in rows if row[f"source_{axis}"] == name)
        taken = fmean(row["delta_pp"] for row in rows if row[f"target_{axis}"] == name)
        assert given != pytest.approx(taken, abs=0.1)
        assert roles[name]["donor_pp"] == pytest.approx(given)
        assert roles[name]["recipient_pp"] == pytest.approx(taken)
