"""Read result tables with the released columns (or ours) into declared deltas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.analyse.reading.recover_counts import add_counts
from donorgrid.analyse.reading.released_names import CELL_COLUMNS, METRIC_COLUMNS, from_released
from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.literal_files import read_csv, read_parquet
from donorgrid.core.records import Metric
from donorgrid.core.regimes import regime
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.core.text_files import check_utf8
from donorgrid.facts.models import family_of, size_b_of


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
    paths: Iterable[Path], *, metric: Metric = "acc_norm", families: Mapping[str, str] | None = None
) -> ReadTables:
    """Read CSV or Parquet files with the released columns (arXiv 2511.13368) or our own names, and stack them.

    The files need the model, the source and target cell, and a delta of ``metric``, or its score and baseline.
    Everything else is optional; ``notes`` says what is missing. ``delta_raw_pp`` keeps the delta as the file has it.
    Where the scores are exact multiples of 1/N, integer counts are recovered and ``delta_pp`` is the exact difference.

    Parameters
    ----------
    paths : iterable of Path
        The files.
    metric : {"acc", "acc_norm"}
        The score to read.
    families : mapping of str to str, optional
        Model -> family, where the tables do not say it. Otherwise the model's name says it, as it says the size.

    Returns
    -------
    ReadTables

    Raises
    ------
    InputError
        When a file cannot be read, lacks a needed column, or contradicts itself.
    """
    stacked = pl.concat([_read_file(path) for path in paths], how="diagonal_relaxed")
    return tables_from(from_released(stacked), metric=metric, families=families)


def _read_file(path: Path) -> pl.DataFrame:
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path}: expected a .csv or .parquet table")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        csv = path.suffix.lower() == ".csv"
        if csv:
            check_utf8(path.read_bytes(), what=str(path))
        frame = read_csv(path) if csv else read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise InputError(f"{path}: the table has no rows")
    return frame


def tables_from(
    frame: pl.DataFrame, *, metric: Metric = "acc_norm", families: Mapping[str, str] | None = None
) -> ReadTables:
    """The same as ``read_tables``, from a frame that already has our column names.

    Parameters
    ----------
    frame : DataFrame
        The rows of all tables.
    metric : {"acc", "acc_norm"}
        The score to read.
    families : mapping of str to str, optional
        Model -> family, where the frame does not say it.

    Returns
    -------
    ReadTables

    Raises
    ------
    InputError
        When a needed column is missing or the frame contradicts itself.
    """
    notes: list[str] = []
    labelled = _with_model_facts(_with_labels(frame, notes), families or {}, notes)
    measured = _with_delta(labelled, metric, notes)
    counted = add_counts(measured, metric, notes)
    named = _with_regime(counted)
    if "train_seed" not in named.columns:
        return ReadTables(deltas=DELTAS.check(named), by_seed=None, notes=tuple(notes))
    by_seed = DELTAS_BY_SEED.check(named.drop("n_seeds", strict=False))
    return ReadTables(deltas=pool_seeds(by_seed), by_seed=by_seed, notes=tuple(notes))


def _with_labels(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    for name in ("model", *CELL_COLUMNS):
        if name not in frame.columns:
            near = suggestion(name, frame.columns)
            raise InputError(f"result table: column '{name}' (or its released name) is missing{near}")
    defaults: dict[str, pl.Expr] = {
        "recipe": pl.lit("unspecified"),
        "source_kind": pl.lit("cell"),
        "source_name": pl.concat_str("source_task", "source_language", separator="/"),
        "data_seed": pl.lit(0),
        "n_seeds": pl.lit(None, dtype=pl.Int64),
        "train_size": pl.lit(None, dtype=pl.Int64),
        "checkpoint": pl.lit(None, dtype=pl.Float64),
    }
    missing = {name: default for name, default in defaults.items() if name not in frame.columns}
    if "n_seeds" in missing:
        notes.append("the tables have no column n_seeds: left empty")
    return frame.with_columns(**missing)


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


def _with_delta(frame: pl.DataFrame, metric: Metric, notes: list[str]) -> pl.DataFrame:
    names = METRIC_COLUMNS[metric]
    if names.delta in frame.columns:
        raw = pl.col(names.delta)
    elif {names.score, names.base} <= set(frame.columns):
        raw = 100.0 * (pl.col(names.score) - pl.col(names.base))
    elif "delta_pp" in frame.columns:
        raw = pl.col("delta_pp")
    else:
        raise InputError(f"result table: for {metric} it needs '{names.delta}', or '{names.score}' and '{names.base}'")
    measured = frame.with_columns(delta_raw_pp=raw.cast(pl.Float64)).with_columns(
        delta_pp=pl.col("delta_raw_pp"), metric=pl.col("metric") if "metric" in frame.columns else pl.lit(metric)
    )
    kept = measured.filter(pl.col("delta_raw_pp").is_finite())
    if kept.height < measured.height:
        notes.append(
            f"{measured.height - kept.height} of {measured.height} rows have no finite delta: left out as holes"
        )
    if not kept.height:
        raise InputError(f"result table: no row has a finite delta of {metric}")
    if "se_pp" not in kept.columns:
        notes.append("the tables have no standard error from items (se_pp)")
    if "se_seed_pp" not in kept.columns and names.seed_se in kept.columns:
        return kept.with_columns(se_seed_pp=pl.col(names.seed_se).cast(pl.Float64))
    return kept


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
    labels = [name for name in by_seed.columns if name not in {*key, *counts, *reals, "train_seed", "se_pp"}]
    pooled = by_seed.group_by(key, maintain_order=True).agg(
        *(pl.col(name).first() for name in labels if name in DELTAS.columns),
        *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in counts),
        *(pl.col(name).mean() for name in reals),
        n_seeds=pl.len(),
        se_seed_pp=pl.col("delta_pp").std() / pl.len().sqrt(),
    )
    return DELTAS.check(pooled)
