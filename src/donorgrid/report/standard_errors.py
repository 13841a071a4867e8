"""Which standard error is shown with a mean: over models where there are several, otherwise over the test items."""

import polars as pl

OVER_MODELS = "over models"
OVER_ITEMS = "over the test items, for this model alone"


def error_column(frame: pl.DataFrame, mean: str) -> str:
    """The column with the standard error of a mean.

    Parameters
    ----------
    frame
        A table with ``<mean>_se_pp`` (over models) and ``<mean>_noise_se_pp`` (over test items); either may be absent
        or empty.
    mean
        ``mean``, ``donor`` or ``recipient``.

    Returns
    -------
    str
        ``<mean>_noise_se_pp`` if only that column holds values, otherwise ``<mean>_se_pp``.
    """
    over_items = f"{mean}_noise_se_pp"
    return over_items if _is_empty(frame, f"{mean}_se_pp") and not _is_empty(frame, over_items) else f"{mean}_se_pp"


def error_in_words(frame: pl.DataFrame, mean: str) -> str:
    """What the standard error of a mean is taken over.

    Parameters
    ----------
    frame, mean
        As in ``error_column``.

    Returns
    -------
    str
        ``OVER_MODELS``, ``OVER_ITEMS``, or an empty string if there is no standard error.
    """
    column = error_column(frame, mean)
    if _is_empty(frame, column):
        return ""
    return OVER_ITEMS if "noise" in column else OVER_MODELS


def _is_empty(frame: pl.DataFrame, column: str) -> bool:
    return column not in frame.columns or not frame[column].is_not_null().any()
