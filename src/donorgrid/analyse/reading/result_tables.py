"""Read result tables with the released columns (or ours) into declared deltas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from donorgrid.analyse.reading.recover_counts import common_denominator
from donorgrid.analyse.reading.released_names import from_released
from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Metric
from donorgrid.core.regimes import regime
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.core.text_files import check_utf8
from donorgrid.facts.models import family_of, size_b_of

CELLS = ("source_task", "source_language", "target_task", "target_language")
_METRIC_COLUMNS = {
    "acc": ("score", "score_base", "delta_acc_pp", "n_right", "n_right_base", "delta_score_se"),
    "acc_norm": (
        "score_norm",
        "score_norm_base",
        "delta_acc_norm_pp",
        "n_right_norm",
        "n_right_norm_base",
        "delta_score_norm_se",
    ),
}
AGREEMENT_PP = 1e-6


@dataclass(frozen=True, kw_only=True)
class ReadTables:
    """What was read: deltas (DELTAS), the rows per seed where the tables had a train_seed (DELTAS_BY_SEED), and notes.

    ``notes``: one line per thing that was missing, recovered, or left out.
    """

    deltas: pl.DataFrame
    by_seed: pl.DataFrame | None
    notes: tuple[str, ...]


def read_tables(
    paths: Iterable[Path], *, metric: Metric = "acc_norm", families: Mapping[str, str] | None = None
) -> ReadTables:
    """Read CSV or Parquet files with the released columns (arXiv 2511.13368) or our own names, stacked.

    Needed: model, target and source cell, and a delta, or a score and its baseline, of ``metric``. All else is optional
    and ``notes`` says what is missing. ``families`` names the family of models where the tables do not;
    else the model's name says it, and the size, where it can.
    ``delta_raw_pp`` keeps the delta as the file had it; where the scores are exact multiples of 1/N, integer counts are
    recovered and ``delta_pp`` is the exact difference. Raises InputError for what cannot be read or contradicts itself.
    """
    stacked = pl.concat([_read_one(path) for path in paths], how="diagonal_relaxed")
    return tables_from(from_released(stacked), metric=metric, families=families)


def _read_one(path: Path) -> pl.DataFrame:
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path}: expected a .csv or .parquet table")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        csv = path.suffix.lower() == ".csv"
        if csv:
            check_utf8(path.read_bytes(), what=str(path))
        frame = pl.read_csv(path, infer_schema_length=None) if csv else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise InputError(f"{path}: the table has no rows")
    return frame


def tables_from(
    frame: pl.DataFrame, *, metric: Metric = "acc_norm", families: Mapping[str, str] | None = None
) -> ReadTables:
    """As ``read_tables``, from a frame that has our column names already."""
    notes: list[str] = []
    labelled = _with_model_facts(_with_labels(frame, notes), families or {}, notes)
    measured = _with_delta(labelled, metric, notes)
    counted = _with_counts(measured, metric, notes)
    named = _with_regime(counted)
    if "train_seed" not in named.columns:
        return ReadTables(deltas=DELTAS.check(named), by_seed=None, notes=tuple(notes))
    by_seed = DELTAS_BY_SEED.check(named.drop("n_seeds", strict=False))
    return ReadTables(deltas=pool_seeds(by_seed), by_seed=by_seed, notes=tuple(notes))


def _with_labels(frame: pl.DataFrame, notes: list[str]) -> pl.DataFrame:
    for name in ("model", *CELLS):
        if name not in frame.columns:
            near = suggestion(name, frame.columns)
            raise InputError(f"result table: column '{name}' (or its released name) is missing{near}")
    fillers: dict[str, pl.Expr] = {
        "recipe": pl.lit("unspecified"),
        "source_kind": pl.lit("cell"),
        "source_name": pl.concat_str("source_task", "source_language", separator="/"),
        "data_seed": pl.lit(0),
        "n_seeds": pl.lit(None, dtype=pl.Int64),
        "train_size": pl.lit(None, dtype=pl.Int64),
        "checkpoint": pl.lit(None, dtype=pl.Float64),
    }
    missing = {name: filler for name, filler in fillers.items() if name not in frame.columns}
    if "n_seeds" in missing:
        notes.append("the tables have no column n_seeds: left empty")
    return frame.with_columns(**missing)


def _with_model_facts(frame: pl.DataFrame, families: Mapping[str, str], notes: list[str]) -> pl.DataFrame:
    """Family and size as the table gives them, else as ``families`` says, else by the model's name."""
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
    score, base, delta, _, _, seed_se = _METRIC_COLUMNS[metric]
    if delta in frame.columns:
        raw = pl.col(delta)
    elif score in frame.columns and base in frame.columns:
        raw = 100.0 * (pl.col(score) - pl.col(base))
    elif "delta_pp" in frame.columns:
        raw = pl.col("delta_pp")
    else:
        raise InputError(f"result table: for {metric} it needs '{delta}', or '{score}' and '{base}'")
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
    if "se_seed_pp" not in kept.columns and seed_se in kept.columns:
        return kept.with_columns(se_seed_pp=pl.col(seed_se).cast(pl.Float64))
    return kept


def _with_counts(frame: pl.DataFrame, metric: Metric, notes: list[str]) -> pl.DataFrame:
    """Integer counts as given, or recovered per target where the scores allow, and the exact delta they give."""
    score, base, _, right, right_base, _ = _METRIC_COLUMNS[metric]
    if not {right, right_base, "n_items"} <= set(frame.columns):
        if not {score, base} <= set(frame.columns):
            notes.append("the tables have neither counts nor scores: limits are compared on rounded deltas")
            return frame
        frame = _recovered(frame, metric, notes)
    exact = _exact_pp(frame, right, right_base)
    wrong = frame.filter((exact - frame["delta_raw_pp"]).abs() > AGREEMENT_PP)
    if wrong.height:
        row = "/".join(str(wrong[name][0]) for name in ("model", *CELLS))
        raise InputError(
            f"result table: {wrong.height} rows have counts that contradict their delta, the first is {row}"
        )
    return frame.with_columns(delta_pp=pl.coalesce(exact, "delta_pp"))


def _exact_pp(frame: pl.DataFrame, right: str, right_base: str) -> pl.Series:
    """The delta of the counts, one correctly rounded division (NumPy: Polars may multiply by a reciprocal)."""
    gained, n_items = frame[right] - frame[right_base], frame["n_items"].cast(pl.Float64)
    exact = 100.0 * gained.cast(pl.Float64).to_numpy() / n_items.to_numpy()
    return pl.Series("delta_pp", exact, nan_to_null=True)


def _recovered(frame: pl.DataFrame, metric: Metric, notes: list[str]) -> pl.DataFrame:
    score, base, _, right, right_base, _ = _METRIC_COLUMNS[metric]
    parts, exact = [], 0
    numbered = frame.with_row_index("row")
    for part in numbered.partition_by("target_task", "target_language", maintain_order=True):
        n_items = _items_of(part, score, base)
        exact += part.height if n_items else 0
        counts = [
            (pl.col(name) * n_items).round().cast(pl.Int64) if n_items else pl.lit(None, dtype=pl.Int64)
            for name in (score, base)
        ]
        parts.append(
            part.with_columns(
                counts[0].alias(right), counts[1].alias(right_base), n_items=pl.lit(n_items, dtype=pl.Int64)
            )
        )
    notes.append(f"integer counts were recovered from the scores for {exact} of {frame.height} rows")
    together = pl.concat(parts).sort("row").drop("row")
    agrees = (_exact_pp(together, right, right_base) - together["delta_raw_pp"]).abs() <= AGREEMENT_PP
    keep = pl.when(agrees)
    return together.with_columns(keep.then(pl.col(name)).alias(name) for name in (right, right_base, "n_items"))


def _items_of(part: pl.DataFrame, score: str, base: str) -> int | None:
    values = np.concatenate([part[score].drop_nulls().to_numpy(), part[base].drop_nulls().to_numpy()]).astype(
        np.float64
    )
    n_seeds = max(part["n_seeds"].drop_nulls().to_list(), default=1)
    return common_denominator(values, multiple_of=max(1, int(n_seeds)))


def _with_regime(frame: pl.DataFrame) -> pl.DataFrame:
    """The regime by the one rule; a table that says otherwise is refused."""
    ours = regime(*(frame[name].to_numpy() for name in CELLS))
    plain = pl.col("source_kind") == "cell"
    named = frame.with_columns(regime_by_rule=pl.when(plain).then(pl.Series(ours, dtype=pl.String)))
    if "regime" in frame.columns:
        other = named.filter(plain & (pl.col("regime") != pl.col("regime_by_rule")))
        if other.height:
            row = "/".join(str(other[name][0]) for name in CELLS)
            raise InputError(
                f"result table: {row} is called {other['regime'][0]}, by the rule it is {other['regime_by_rule'][0]}"
            )
    return named.drop("regime", strict=False).rename({"regime_by_rule": "regime"})


def pool_seeds(by_seed: pl.DataFrame) -> pl.DataFrame:
    """DELTAS from DELTAS_BY_SEED alone: counts summed, scores averaged, ``se_seed_pp`` from the seeds' spread.

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
