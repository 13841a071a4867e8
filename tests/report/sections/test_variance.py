"""Remarks on the fits of the variance components."""

import polars as pl
from example_tables import page_with


def test_components_at_zero_and_fits_that_did_not_converge_are_named() -> None:
    rows = {
        "scope": "transfer",
        "fit": ["crossed", "crossed", "task+language"],
        "component": ["model", "residual", "model"],
        "variance": [0.0, 1.0, 0.5],
        "share": [0.0, 1.0, 0.5],
        "status": ["at zero", "estimated", "estimated"],
        "converged": [True, True, False],
    }
    text = page_with(variance=pl.DataFrame(rows)).text
    assert "no variance beyond the other components): model (crossed, transfer)." in text
    assert "Not converged, so not reliable: task+language, transfer." in text
    fine = pl.DataFrame(rows).with_columns(status=pl.lit("estimated"), converged=pl.lit(value=True))
    assert "Not converged" not in page_with(variance=fine).text
