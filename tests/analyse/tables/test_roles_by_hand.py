"""Donor and recipient scores, and joint verdicts, of a few cells by hand."""

import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.tables.noise import verdicts_table
from donorgrid.analyse.tables.roles import roles_language, roles_task

SETTINGS = AnalysisSettings()
ENDS = ("model", "source_task", "source_language", "target_task", "target_language", "regime", "delta_pp")


def cells(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=list(ENDS), orient="row")


def test_a_task_gives_as_a_source_and_receives_as_a_target() -> None:
    table = roles_task(
        cells(
            ("m", "quiz", "de", "poem", "de", "CT-ML", 3.0),
            ("m", "quiz", "it", "poem", "it", "CT-ML", 5.0),
            ("m", "poem", "de", "quiz", "de", "CT-ML", -1.0),
            ("m", "quiz", "de", "quiz", "it", "MT-CL", 100.0),
            ("m", "quiz", "de", "quiz", "de", "MT-ML", 100.0),
        ),
        SETTINGS,
    )
    rows = {row["task"]: row for row in table.to_dicts()}
    assert (rows["quiz"]["donor_pp"], rows["quiz"]["recipient_pp"]) == pytest.approx((4.0, -1.0))
    assert (rows["poem"]["donor_pp"], rows["poem"]["recipient_pp"]) == pytest.approx((-1.0, 4.0))
    assert (rows["quiz"]["n_donor_cells"], rows["quiz"]["n_recipient_cells"]) == (2, 1)


def test_a_language_gives_as_a_source_and_receives_as_a_target() -> None:
    table = roles_language(
        cells(
            ("m", "quiz", "de", "quiz", "it", "MT-CL", 3.0),
            ("m", "quiz", "it", "quiz", "de", "MT-CL", -1.0),
            ("m", "quiz", "de", "poem", "de", "CT-ML", 100.0),
        ),
        SETTINGS,
    )
    rows = {row["language"]: row for row in table.to_dicts()}
    assert (rows["de"]["donor_pp"], rows["de"]["recipient_pp"]) == pytest.approx((3.0, -1.0))


def test_a_source_is_safe_on_a_set_where_it_is_safe_on_every_target_of_it() -> None:
    rows = [
        ("m", "quiz", "de", "quiz", "it", "MT-CL", 1.0),
        ("m", "quiz", "de", "poem", "de", "CT-ML", 1.0),
        ("m", "quiz", "de", "poem", "it", "CT-CL", -5.0),
        ("m", "quiz", "de", "quiz", "de", "MT-ML", 1.0),
    ]
    judged = cells(*rows).with_columns(
        verdict=pl.Series(["safe", "safe", "harmed", "undecided"]),
        low_pp=pl.col("delta_pp") - 1.0,
        items_to_decide=pl.lit(None, dtype=pl.Float64),
    )
    found = {row["guarded"]: row for row in verdicts_table(judged, SETTINGS).to_dicts()}
    assert {guarded: row["verdict"] for guarded, row in found.items()} == {
        "all others": "harmed",
        "same task": "safe",
        "other tasks": "harmed",
    }
    assert {guarded: row["n_cells"] for guarded, row in found.items()} == {
        "all others": 3,
        "same task": 1,
        "other tasks": 2,
    }
    assert found["other tasks"]["worst_low_pp"] == -6.0


def test_a_set_is_judged_on_its_sound_targets() -> None:
    rows = [
        ("m", "quiz", "de", "quiz", "it", "MT-CL", 1.0),
        ("m", "quiz", "de", "poem", "de", "CT-ML", 9.0),
        ("m", "quiz", "de", "poem", "it", "CT-CL", 9.0),
    ]
    judged = cells(*rows).with_columns(
        verdict=pl.Series(["safe", "undecided", "undecided"]),
        degenerate=pl.Series([False, True, True]),
        low_pp=pl.col("delta_pp") - 1.0,
        items_to_decide=pl.lit(None, dtype=pl.Float64),
    )
    found = {row["guarded"]: row for row in verdicts_table(judged, SETTINGS).to_dicts()}
    counts = {name: (row["verdict"], row["n_cells"], row["n_degenerate"]) for name, row in found.items()}
    assert counts == {"all others": ("safe", 1, 2), "same task": ("safe", 1, 0), "other tasks": ("undecided", 0, 2)}
