"""Which standard error stands beside a mean: over models where there are several, else over the test items."""

import polars as pl

OVER_MODELS, OVER_ITEMS = "over models", "over the test items, the model taken as given"


def error_beside(frame: pl.DataFrame, mean: str) -> str:
    """The column of the standard error of ``mean`` (``mean``, ``donor``, ``recipient``) that holds values."""
    over_items = f"{mean}_noise_se_pp"
    return over_items if _is_empty(frame, f"{mean}_se_pp") and not _is_empty(frame, over_items) else f"{mean}_se_pp"


def error_in_words(frame: pl.DataFrame, mean: str) -> str:
    """What that standard error is over; an empty string where there is none."""
    column = error_beside(frame, mean)
    if _is_empty(frame, column):
        return ""
    return OVER_ITEMS if "noise" in column else OVER_MODELS


def _is_empty(frame: pl.DataFrame, column: str) -> bool:
    return column not in frame.columns or not frame[column].is_not_null().any()
