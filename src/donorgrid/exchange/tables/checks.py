"""Checks of a result table, and notes on it. Scores are proportions (0-1), deltas percentage points."""

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.facts.benchmarks import n_choices
from donorgrid.statistics.proportions import wilson_interval

NEEDED = ("model", "source_task", "source_language", "target_task", "target_language")
DELTA_OF = {
    "acc_norm": ("delta_acc_norm_pp", "score_norm", "score_norm_base"),
    "acc": ("delta_acc_pp", "score", "score_base"),
}
ASSUMED_ITEMS = 400
"""Items behind a baseline where a table does not say: those of the released table's targets."""
_TYPES = {**DELTAS.columns, **DELTAS_BY_SEED.columns}
_SHOWN = 3
SPREAD_SHOWN_PP = 0.5


def checked(frame: pl.DataFrame) -> pl.DataFrame:
    """Returns the table with its known columns in their declared types. Raises InputError if it is no result table."""
    for name in NEEDED:
        if name not in frame.columns:
            raise InputError(
                f"column '{name}' (or its released name) is missing{suggestion(name, frame.columns)}; it has "
                f"{', '.join(frame.columns)}"
            )
    if not any(_has(frame, metric) for metric in DELTA_OF) and "delta_pp" not in frame.columns:
        wanted = " or ".join(f"'{delta}', or '{score}' and '{base}'" for delta, score, base in DELTA_OF.values())
        raise InputError(f"it has neither a delta nor a score and its baseline; needed is {wanted}, or 'delta_pp'")
    frame = frame.with_columns(_cast(frame, name) for name in frame.columns if name in _TYPES)
    for name in NEEDED:
        _refuse_empty(frame, name)
    for name in ("score", "score_base", "score_norm", "score_norm_base"):
        if name in frame.columns:
            _check_share(frame, name)
    return frame


def _has(frame: pl.DataFrame, metric: str) -> bool:
    delta, score, base = DELTA_OF[metric]
    return delta in frame.columns or {score, base} <= set(frame.columns)


def _cast(frame: pl.DataFrame, name: str) -> pl.Series:
    column = frame[name]
    if column.dtype == pl.String and _TYPES[name] != pl.String:
        column = column.str.strip_chars()
        column = column.set(column.is_in(["", "NA", "NaN", "nan", "None", "null"]), None)
    converted = column.cast(_TYPES[name], strict=False)
    wrong = column.is_not_null() & converted.is_null()
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise InputError(f"row {row + 1}: column '{name}' is '{column[row]}', expected {_word(name)}")
    return converted.fill_nan(None) if converted.dtype.is_float() else converted


def _word(name: str) -> str:
    kind = _TYPES[name]
    return "a whole number" if kind == pl.Int64 else "a number" if kind == pl.Float64 else "text"


def _refuse_empty(frame: pl.DataFrame, name: str) -> None:
    kind = frame["source_kind"] if "source_kind" in frame.columns else None
    if kind is not None and name.startswith("source_"):
        return  # a mix has several cells
    empty = frame[name].is_null() | (frame[name] == "")
    if empty.any():
        row = int(empty.arg_true()[0]) + 1
        hint = "; rows of base models? name them in the mapping's key 'baseline_rows'" if "source" in name else ""
        raise InputError(f"row {row}: column '{name}' is empty{hint}")


def _check_share(frame: pl.DataFrame, name: str) -> None:
    values = frame[name]
    wrong = values.is_not_null() & ~values.is_between(0.0, 1.0)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        percent = float(values.max() or 0.0) <= 100.0 and float(values.min() or 0.0) >= 0.0  # type: ignore[arg-type]
        hint = f"; where it is in percent, say 'percent: [{name}]' in the mapping" if percent else ""
        raise InputError(f"row {row + 1}: column '{name}' is {values[row]}, expected a proportion from 0 to 1{hint}")


def table_notes(frame: pl.DataFrame) -> tuple[str, ...]:
    """Returns lines for the user: what is missing, targets at chance, baselines that differ between seeds."""
    there = {*frame.columns, *(["n_seeds"] if "train_seed" in frame.columns else [])}
    missing = [f"no column {name}: {lost}" for name, lost in _LOST.items() if name not in there]
    base = next((base for _, _, base in DELTA_OF.values() if base in frame.columns), None)
    if base is None:
        return (*missing, "no baseline scores: targets at chance cannot be found")
    return (*missing, *at_chance(frame, base), *_spread(frame, base))


_LOST = {
    "n_seeds": "how many training runs stand behind a delta is not known",
    "n_items": "limits are compared on counts only where the scores give them back",
    "recipe": "all rows count as one recipe",
}


def at_chance(frame: pl.DataFrame, base: str) -> list[str]:
    """Names targets whose baseline is not above chance.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``model``, ``target_task`` and ``target_language``.
    base : str
        The column with the baseline's score (0-1).

    Returns
    -------
    list of str
        One line if the lower end of a baseline's 95% Wilson interval is at or below chance; otherwise none.
    """
    choices = n_choices()
    with_chance = frame.filter(pl.col(base).is_not_null() & pl.col("target_task").is_in(list(choices)))
    at_chance_targets = []
    for (model, task, language), part in with_chance.group_by(
        "model", "target_task", "target_language", maintain_order=True
    ):
        chance, mean = 1.0 / choices[str(task)], float(part[base].mean())  # type: ignore[arg-type]
        n_items = _items(part)
        if wilson_interval(mean * n_items, n_items)[0] <= chance:
            at_chance_targets.append(f"{model} on {task}/{language} ({100 * mean:.1f}%, chance {100 * chance:.0f}%)")
    if not at_chance_targets:
        return []
    n_targets = len(at_chance_targets)
    listed = "; ".join(at_chance_targets[:_SHOWN]) + (f"; and {n_targets - _SHOWN} more" if n_targets > _SHOWN else "")
    return [f"{n_targets} targets start at chance, where a delta measures format and not skill: {listed}"]


def _items(part: pl.DataFrame) -> int:
    if "n_items" not in part.columns or not part["n_items"].drop_nulls().len():
        return ASSUMED_ITEMS
    seeds = part["n_seeds"].fill_null(1).clip(lower_bound=1) if "n_seeds" in part.columns else 1
    return max(1, int((part["n_items"] // seeds).max()))  # type: ignore[arg-type]


def _spread(frame: pl.DataFrame, base: str) -> list[str]:
    """Notes baselines that differ between train seeds: they were not measured on the same items."""
    released_std = f"{base}_std"
    if "train_seed" in frame.columns:
        target = ["model", "target_task", "target_language"]
        by_seed = frame.group_by(*target, "train_seed").agg(pl.col(base).mean())
        spread = by_seed.group_by(target).agg(sd=pl.col(base).std())["sd"]
    elif released_std in frame.columns and frame.schema[released_std].is_numeric():
        spread = frame[released_std]
    else:
        return []
    sd_pp = 100.0 * float(spread.mean() or 0.0)  # type: ignore[arg-type]
    if sd_pp < SPREAD_SHOWN_PP:
        return []
    return [
        f"baselines differ between train seeds by {sd_pp:.1f} pp (SD): each seed keeps its own baseline, and its items "
        "are not taken as shared"
    ]
