"""Notes on a result table: what is missing, targets at chance, baselines that differ, runs that changed nothing."""

import polars as pl

from donorgrid.core.tables import METRIC_COLUMNS, has_delta
from donorgrid.facts.benchmarks import n_choices
from donorgrid.statistics.proportions import wilson_interval

ASSUMED_ITEMS = 400
"""Items behind a baseline where a table does not say: those of the released table's targets."""
_SHOWN = 3
SPREAD_SHOWN_PP = 0.5
_RUN = ("model", "recipe", "source_name", "source_task", "source_language", "train_seed", "data_seed", "train_size")


def table_notes(frame: pl.DataFrame) -> tuple[str, ...]:
    """Returns lines for the user: what is missing, targets at chance, baselines that differ between seeds."""
    there = {*frame.columns, *(["n_seeds"] if "train_seed" in frame.columns else [])}
    missing = [f"no column {name}: {lost}" for name, lost in _LOST.items() if name not in there]
    missing += ["it has acc only, no acc_norm: it is analysed by acc"] if _only_acc(frame) else []
    missing += unchanged_runs(frame)
    base = next((of.base for of in METRIC_COLUMNS.values() if of.base in frame.columns), None)
    if base is None:
        return (*missing, "no baseline scores: targets at chance cannot be found")
    return (*missing, *at_chance(frame, base), *_spread(frame, base))


def _only_acc(frame: pl.DataFrame) -> bool:
    return has_delta(frame, "acc") and not has_delta(frame, "acc_norm")


_LOST = {
    "n_seeds": "how many training runs stand behind a delta is not known",
    "n_items": "limits are compared on counts only where the scores give them back",
    "recipe": "all rows count as one recipe",
}


def unchanged_runs(frame: pl.DataFrame) -> list[str]:
    """Names runs whose scores all equal the base model's, on two targets or more.

    Parameters
    ----------
    frame : DataFrame
        Rows with donorgrid's column names.

    Returns
    -------
    list of str
        One line if there is such a run; otherwise none.
    """
    differences = [
        pl.col(of.delta) if of.delta in frame.columns else pl.col(of.score) - pl.col(of.base)
        for metric, of in METRIC_COLUMNS.items()
        if has_delta(frame, metric)
    ]
    differences += [pl.col("delta_pp")] if not differences else []
    run = [name for name in _RUN if name in frame.columns]
    unchanged = (
        frame.group_by(run, maintain_order=True)
        .agg(
            pl.len().alias("n"),
            pl.all_horizontal((difference == 0).fill_null(False) for difference in differences).all().alias("equal"),
        )
        .filter(pl.col("equal") & (pl.col("n") > 1))
    )
    if not unchanged.height:
        return []
    labels = [", ".join(f"{name} {row[name]}" for name in run if row[name] is not None) for row in unchanged.to_dicts()]
    more = f"; and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return [
        f"{len(labels)} runs equal their base model on every target (was the adapter applied?): "
        + "; ".join(labels[:_SHOWN])
        + more
    ]


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
