import polars as pl

from donorgrid.report.standard_errors import error_column, error_in_words


def test_the_standard_error_is_over_models_if_there_are_several_and_otherwise_over_items() -> None:
    one_model = pl.DataFrame(
        {"donor_se_pp": [None], "donor_noise_se_pp": [0.5]}, schema_overrides={"donor_se_pp": pl.Float64}
    )
    several_models = pl.DataFrame({"donor_se_pp": [0.9], "donor_noise_se_pp": [0.5]})
    neither = pl.DataFrame({"donor_se_pp": [None]}, schema={"donor_se_pp": pl.Float64})
    assert error_column(one_model, "donor") == "donor_noise_se_pp"
    assert "test items" in error_in_words(one_model, "donor")
    assert error_column(several_models, "donor") == "donor_se_pp"
    assert error_in_words(several_models, "donor") == "over models"
    assert error_in_words(neither, "donor") == ""
