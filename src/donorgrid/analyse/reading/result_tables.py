"""Reads result tables with the released columns (or ours) into declared deltas."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.analyse.reading.recover_counts import add_counts
from donorgrid.analyse.reading.released_names import from_released
from donorgrid.analyse.reading.table_deltas import metric_of, with_delta
from donorgrid.core.errors import InputError
from donorgrid.core.records import Metric
from donorgrid.core.regimes import regime
from donorgrid.core.tables import CELL_COLUMNS, DELTAS, DELTAS_BY_SEED, check_result_table, read_table_file
from donorgrid.facts.language_columns import with_canonical_languages
from donorgrid.facts.models import family_of, size_b_of

_ABOUT_A_TABLE = "result table: "
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class ReadTables:
    """Result tables as they were read.

    Attributes
    ----------
    deltas : DataFrame
        DELTAS.
    by_seed : DataFrame or None
        DELTAS_BY_SEED where the tables have a column ``train_seed``.
    notes : tuple of str
        A line for everything that was missing, recovered, or left out.
    """

    deltas: pl.DataFrame
    by_seed: pl.DataFrame | None
    notes: tuple[str, ...]


def read_tables(
    paths: Iterable[Path], *, metric: Metric | None = None, families: Mapping[str, str] | None = None
) -> ReadTables:
    """Reads tables with the released columns (arXiv 2511.13368) or donorgrid's, stacked.

    Needed are the model, the target and source cell, and a delta, or a score and its baseline, of the metric. If the
    scores are exact multiples of 1/N, integer counts are recovered and ``delta_pp`` is the exact difference;
    ``delta_raw_pp`` keeps the delta as the file has it.

    Parameters
    ----------
    paths : iterable of Path
        CSV or Parquet files.
    metric : {"acc", "acc_norm"}, optional
        The metric of ``delta_pp``; the default is ``metric_of``.
    families : mapping of str to str, optional
        The family of models whose tables and names do not give it.

    Returns
    -------
    ReadTables
        The deltas, and notes on what is missing.

    Raises
    ------
    InputError
        If a table cannot be read, holds a wrong value, or contradicts itself.
    """
    paths = list(paths)
    frame = stack_tables(paths)
    with errors_of_tables(paths):
        return tables_from(frame, metric=metric or metric_of(frame), families=families)


@contextmanager
def errors_of_tables(locations: Sequence[object]) -> Iterator[None]:
    """Names the files in errors about a result table.

    Parameters
    ----------
    locations : sequence
        The files or addresses that the table in the body was stacked from.
    """
    try:
        yield
    except InputError as error:
        if any(str(location) in str(error) for location in locations):
            raise
        named = ", ".join(map(str, locations[:_MOST_NAMED])) + (", ..." if len(locations) > _MOST_NAMED else "")
        raise InputError(f"{named}: {str(error).removeprefix(_ABOUT_A_TABLE)}") from error


def stack_tables(paths: Iterable[Path]) -> pl.DataFrame:
    """Reads tables and stacks them, with donorgrid's column names. Raises InputError as ``read_tables`` does."""
    frames = []
    for path in paths:
        frame = read_table_file(path)
        try:
            frames.append(check_result_table(from_released(frame)))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    try:
        return pl.concat(frames, how="diagonal_relaxed")
    except pl.exceptions.PolarsError as error:
        raise InputError(f"result tables: cannot be stacked: {str(error).splitlines()[0]}") from error


def tables_from(
    frame: pl.DataFrame, *, metric: Metric = "acc_norm", families: Mapping[str, str] | None = None
) -> ReadTables:
    """Returns the deltas of checked rows.

    Parameters
    ----------
    frame : DataFrame
        Rows with donorgrid's column names, as ``stack_tables`` gives them.
    metric : {"acc", "acc_norm"}
        The metric of ``delta_pp``.
    families : mapping of str to str, optional
        The family of models whose tables and names do not give it.

    Returns
    -------
    ReadTables
        The deltas, and notes on what is missing.

    Raises
    ------
    InputError
        If the rows contradict themselves, or none has a delta of the metric.
    """
    notes: list[str] = []
    labelled = _with_model_facts(_with_labels(frame, notes), families or {}, notes)
    measured = with_delta(labelled, metric, notes)
    counted = add_counts(measured, metric, notes)
    named = _with_regime(counted)
    if "train_seed" not in named.columns:
        return ReadTables(deltas=DELTAS.check(named), by_seed=None, notes=tuple(notes))
    by_seed = DELTAS_BY_SEED.check(named.drop("n_seeds", strict=False))
    return ReadTables(deltas=pool_seeds(by_seed), by_seed=by_seed, notes=tuple(notes))


def _with_labels(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    frame = with_canonical_languages(frame)
    defaults: dict[str, pl.Expr] = {
        "recipe": pl.lit("unspecified"),
        "source_kind": pl.lit("cell"),
        "source_name": pl.concat_str("source_task", "source_language", separator="/"),
        "data_seed": pl.lit(0, dtype=pl.Int64),
        "n_seeds": pl.lit(None, dtype=pl.Int64),
        "train_size": pl.lit(None, dtype=pl.Int64),
        "checkpoint": pl.lit(None, dtype=pl.Float64),
        "strength": pl.lit(None, dtype=pl.Float64),
    }
    if "n_seeds" not in frame.columns:
        notes.append("the tables have no column n_seeds: left empty")
    return frame.with_columns(
        **{name: pl.coalesce(name, default) if name in frame.columns else default for name, default in defaults.items()}
    )


def _with_model_facts(frame: pl.DataFrame, families: Mapping[str, str], notes: list[str]) -> pl.DataFrame:
    """Adds family and size: as the table gives them, else as ``families`` says, else by the model's name."""
    models = [str(model) for model in frame["model"].unique().drop_nulls()]
    by_name: dict[str, tuple[dict[str, str | float | None], type[pl.DataType]]] = {
        "family": ({model: families.get(model) or family_of(model) for model in models}, pl.String),
        "size_b": ({model: size_b_of(model) for model in models}, pl.Float64),
    }
    for column, (known, dtype) in by_name.items():
        given = pl.col(column).cast(dtype) if column in frame.columns else pl.lit(None, dtype=dtype)
        looked_up = pl.col("model").replace_strict(known, default=None, return_dtype=dtype)
        frame = frame.with_columns(pl.coalesce(given, looked_up).alias(column))
        unknown = frame.filter(pl.col(column).is_null())["model"].unique().sort().to_list()
        if unknown:
            what = column.removesuffix("_b")
            named = ", ".join(map(str, unknown))
            notes.append(f"no {what} is known for {named}: nothing is broken down by {what} for them")
    return frame


def _with_regime(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds the regime by the rule of ``core.regimes``; refuses a table that says otherwise."""
    by_rule = regime(*(frame[name].to_numpy() for name in CELL_COLUMNS))
    plain = pl.col("source_kind") == "cell"
    named = frame.with_columns(regime_by_rule=pl.when(plain).then(pl.Series(by_rule, dtype=pl.String)))
    if "regime" in frame.columns:
        other = named.filter(plain & (pl.col("regime") != pl.col("regime_by_rule")))
        if other.height:
            row = "/".join(str(other[name][0]) for name in CELL_COLUMNS)
            raise InputError(
                f"result table: {row} is called {other['regime'][0]}, by the rule it is {other['regime_by_rule'][0]}"
            )
    return named.drop("regime", strict=False).rename({"regime_by_rule": "regime"})


def pool_seeds(by_seed: pl.DataFrame) -> pl.DataFrame:
    """Pools DELTAS_BY_SEED to DELTAS: sums counts, averages scores, takes ``se_seed_pp`` from the seeds' spread.

    Without item answers there is no standard error over items: ``se_pp`` stays empty.
    """
    key = list(DELTAS.key)
    counts = [name for name in by_seed.columns if name.startswith("n_")]
    reals = [name for name in by_seed.columns if name.startswith(("score", "delta_"))]
    labels = [
        name for name in by_seed.columns if name not in {*key, *counts, *reals, "train_seed", "se_pp", "se_seed_pp"}
    ]
    pooled = by_seed.group_by(key, maintain_order=True).agg(
        *(pl.col(name).first() for name in labels if name in DELTAS.columns),
        *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in counts),
        *(pl.col(name).mean() for name in reals),
        n_seeds=pl.len(),
        se_seed_pp=pl.col("delta_pp").std() / pl.len().sqrt(),
    )
    return DELTAS.check(pooled)
