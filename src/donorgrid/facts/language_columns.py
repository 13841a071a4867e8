"""The language columns of tables in canonical codes."""

import polars as pl

from donorgrid.facts.languages import language_label

_ENDS = ("source", "target")


def with_canonical_languages(frame: pl.DataFrame) -> pl.DataFrame:
    """Returns a table whose columns ``source_language`` and ``target_language`` hold canonical codes.

    Names that no language has stay as they are. A ``source_name`` that is the source's cell is renamed with it.
    """
    for end in _ENDS:
        column = f"{end}_language"
        if frame.schema.get(column) != pl.String:
            continue
        labels = {name: language_label(name) for name in frame[column].unique().drop_nulls()}
        renamed = {name: label for name, label in labels.items() if name != label}
        if not renamed:
            continue
        if end == "source" and {"source_task", "source_name"} <= set(frame.columns):
            frame = frame.with_columns(source_name=_source_name(renamed))
        frame = frame.with_columns(pl.col(column).replace(renamed))
    return frame


def _source_name(renamed: dict[str, str]) -> pl.Expr:
    written = pl.concat_str("source_task", "source_language", separator="/")
    canonical = pl.concat_str("source_task", pl.col("source_language").replace(renamed), separator="/")
    return pl.when(pl.col("source_name") == written).then(canonical).otherwise(pl.col("source_name"))
