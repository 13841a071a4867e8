"""``donorgrid import table``: any result table, with a mapping if its columns have other names."""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.tables import DELTAS_BY_SEED, check_result_table, refuse_mixed_units, typed
from donorgrid.exchange.mapping import BaselineRows, TableMapping
from donorgrid.exchange.mapping_files import read_mapping
from donorgrid.exchange.records import ImportedTable
from donorgrid.exchange.tables.files import read_table
from donorgrid.exchange.tables.notes import table_notes
from donorgrid.facts.language_columns import with_canonical_languages
from donorgrid.facts.models import family_of, size_b_of

TARGET = ("target_task", "target_language")
SCORES = ("score", "score_norm")
Rename = Callable[[pl.DataFrame], pl.DataFrame]


def import_table(locations: Sequence[str], *, to_our_names: Rename, mapping_file: Path | None = None) -> ImportedTable:
    """Reads result tables and stacks them, with donorgrid's column names.

    A table needs the model, the source and target cell, and either a delta or a score with its baseline.

    Parameters
    ----------
    locations : sequence of str
        Files or web addresses.
    to_our_names : callable
        Renames the released table's columns.
    mapping_file : Path, optional
        Renames other columns, and more (docs/import.md).

    Returns
    -------
    ImportedTable
        The rows; notes say what is missing, which targets start at chance, where baselines differ between seeds.

    Raises
    ------
    InputError
        If a table cannot be read, lacks a column, or rows share their key.
    """
    mapping = TableMapping() if mapping_file is None else read_mapping(mapping_file, TableMapping)
    frames = []
    for location in locations:
        try:
            frames.append(check_result_table(to_our_names(_mapped(read_table(location), mapping, to_our_names))))
        except InputError as error:
            message = str(error)
            raise InputError(message if message.startswith(location) else f"{location}: {message}") from None
    try:
        frame = _with_facts(with_canonical_languages(pl.concat(frames, how="diagonal_relaxed")))
    except pl.exceptions.PolarsError as error:
        raise InputError(f"result tables: cannot be stacked: {str(error).splitlines()[0]}") from error
    _refuse_doubles(frame)
    return ImportedTable(frame=frame, notes=table_notes(frame))


def _mapped(frame: pl.DataFrame, mapping: TableMapping, to_our_names: Rename) -> pl.DataFrame:
    for ours, theirs in mapping.columns.items():
        if theirs not in frame.columns:
            raise InputError(f"column '{theirs}' (for {ours}) is missing{suggestion(theirs, frame.columns)}")
        if ours in frame.columns and ours != theirs:
            raise InputError(f"column '{ours}' is there already; the mapping would make '{theirs}' a second one")
    frame = frame.with_columns(**{ours: pl.col(theirs) for ours, theirs in mapping.columns.items()})
    frame = frame.with_columns(**{name: pl.lit(value) for name, value in mapping.constants.items()})
    for name, renamed in mapping.values.items():
        _need(frame, name, "values")
        frame = frame.with_columns(pl.col(name).cast(pl.String).replace(renamed))
    frame = with_canonical_languages(frame)
    for name in mapping.percent:
        _need(frame, name, "percent")
        frame = frame.with_columns(_proportion(frame, name, to_our_names))
    used = {theirs for ours, theirs in mapping.columns.items() if ours != theirs} - mapping.columns.keys()
    if mapping.baseline_rows is None:
        return frame.drop(used)
    _need(frame, mapping.baseline_rows.column, "baseline_rows.column")
    return _with_baselines(frame, mapping.baseline_rows).drop(used, strict=False)


def _need(frame: pl.DataFrame, name: str, key: str) -> None:
    if name not in frame.columns:
        raise InputError(f"{key}: column '{name}' is missing{suggestion(name, frame.columns)}")


def _proportion(frame: pl.DataFrame, name: str, to_our_names: Rename) -> pl.Series:
    """Returns percent as proportions, by one correctly rounded division; Polars would multiply by a reciprocal.

    Raises InputError if the column, or a cell of it, holds proportions already.
    """
    try:
        frame = frame.with_columns(typed(frame[name], pl.Float64))
    except InputError as error:
        raise InputError(f"percent: {error}") from None
    target = [column for column in TARGET if column in to_our_names(frame).columns]
    refuse_mixed_units(to_our_names(frame).with_columns(frame[name]), name, target)
    largest = float(frame[name].fill_null(0.0).to_numpy().max())
    if 0 < largest <= 1:
        raise InputError(
            f"percent: no value of column '{name}' is above 1 (the largest is {largest:g}): these are proportions; "
            "leave it out of 'percent'"
        )
    return pl.Series(name, frame[name].to_numpy() / 100.0, nan_to_null=True)


def _with_baselines(frame: pl.DataFrame, rule: BaselineRows) -> pl.DataFrame:
    """Joins the base model's scores to the other rows: by model, target, and train seed if base rows have one."""
    is_base = (
        pl.col(rule.column).is_null() if rule.value is None else pl.col(rule.column).cast(pl.String) == str(rule.value)
    )
    bases, rows = frame.filter(is_base), frame.filter(~is_base.fill_null(False))
    if not bases.height or not rows.height:
        raise InputError(f"baseline_rows: {bases.height} rows of base models and {rows.height} others; both are needed")
    for name in ("model", *TARGET):
        _need(frame, name, "baseline_rows")
    scores = [name for name in SCORES if name in frame.columns]
    if not scores:
        raise InputError("baseline_rows: needs a column 'score' or 'score_norm'")
    key = ["model", *TARGET]
    if "train_seed" in frame.columns and not bases["train_seed"].null_count():
        key.append("train_seed")
    baselines = bases.select(*key, *(pl.col(name).alias(f"{name}_base") for name in scores))
    if baselines.select(key).is_duplicated().any():
        raise InputError(f"baseline_rows: a base model has several rows of one ({', '.join(key)})")
    kept = rows.drop([f"{name}_base" for name in scores], strict=False)
    joined = kept.join(baselines, on=key, how="left", maintain_order="left")
    unmatched = joined.filter(pl.col(f"{scores[0]}_base").is_null())
    if unmatched.height:
        row = "/".join(str(unmatched[name][0]) for name in key)
        raise InputError(f"baseline_rows: {unmatched.height} rows have no base model's score, the first is {row}")
    return joined


def _with_facts(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds family and size by the model's name if the table has no such column."""
    names = [str(name) for name in frame["model"].unique()]
    families = {name: family_of(name) for name in names}
    sizes = {name: size_b_of(name) for name in names}
    model = pl.col("model")
    known = {
        "family": model.replace_strict(families, return_dtype=pl.String),
        "size_b": model.replace_strict(sizes, return_dtype=pl.Float64),
    }
    return frame.with_columns(**{name: column for name, column in known.items() if name not in frame.columns})


def _refuse_doubles(frame: pl.DataFrame) -> None:
    """Raises InputError for rows with equal keys, which would be averaged in silence."""
    key = [name for name in DELTAS_BY_SEED.key if name in frame.columns and name != "source_name"]
    key += [name for name in ("source_name", "source_task", "source_language") if name in frame.columns]
    doubles = frame.filter(pl.struct(key).is_duplicated())
    if doubles.height:
        row = ", ".join(f"{name}={doubles[name][0]}" for name in key)
        raise InputError(
            f"result table: {doubles.height} rows share their key, the first is {row}; a column train_seed, data_seed, "
            "train_size or recipe may tell them apart (name it in the mapping)"
        )
