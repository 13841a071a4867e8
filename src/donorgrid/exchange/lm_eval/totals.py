"""lm-eval's results without items: counts of right answers, for base model and fine-tune."""

import math
from collections.abc import Mapping

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.core.tables import DELTAS_BY_SEED
from donorgrid.exchange.lm_eval.files import TaskOutput
from donorgrid.exchange.lm_eval.items import RIGHT_METRICS
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.records import ImportedSubject

_WHOLE = 1e-6


def totals(
    tasks: Mapping[ImportedSubject, Mapping[str, TaskOutput]], cells: Mapping[str, Cell], mapping: LmEvalMapping
) -> pl.DataFrame:
    """Counts right answers; several lm-eval tasks of one cell are summed.

    Parameters
    ----------
    tasks : mapping
        The results by subject and lm-eval task name.
    cells : mapping of str to Cell
        lm-eval's task name to its cell.
    mapping : LmEvalMapping
        Its key ``filter`` says which of several filters counts.

    Returns
    -------
    DataFrame
        DELTAS_BY_SEED: one row for every fine-tune and target that its base model has too.

    Raises
    ------
    InputError
        If a score is no whole number of right answers, or the two sides answered different numbers of items.
    """
    rows = []
    for subject, outputs in tasks.items():
        if subject.source is None:
            continue
        base = tasks[next(other for other in tasks if other.source is None and other.model == subject.model)]
        for cell in dict.fromkeys(cells[name] for name in outputs):
            names = [name for name in outputs if cells[name] == cell]
            if all(name in base for name in names):
                rows.append(_row(subject, cell, [(outputs[name], base[name]) for name in names], mapping))
    schema = {name: kind for name, kind in DELTAS_BY_SEED.columns.items() if not rows or name in rows[0]}
    if not rows:
        raise InputError("no fine-tune shares a task with its base model: there is nothing to compare")
    return pl.DataFrame(rows, schema=schema)


def _row(
    subject: ImportedSubject, cell: Cell, pairs: list[tuple[TaskOutput, TaskOutput]], mapping: LmEvalMapping
) -> dict[str, object]:
    name = mapping.for_task("filter", cell.task)
    counts: dict[str, int] = dict.fromkeys(
        ("n_items", "n_right", "n_right_base", "n_right_norm", "n_right_norm_base"), 0
    )
    for tuned, base in pairs:
        if not tuned.n_items or tuned.n_items != base.n_items:
            raise InputError(
                f"{tuned.file}: task '{tuned.name}': {subject} answered {tuned.n_items} items, its base model "
                f"{base.n_items}; both must have answered the same"
            )
        counts["n_items"] += tuned.n_items
        for side, output in (("", tuned), ("_base", base)):
            right = _count(output, RIGHT_METRICS, name)
            counts[f"n_right{side}"] += right
            has_norm = any(key.startswith("acc_norm,") for key in output.scores)
            counts[f"n_right_norm{side}"] += _count(output, ("acc_norm",), name) if has_norm else right
    n = counts["n_items"]
    return {**_labels(subject, cell), **counts} | {
        "score": counts["n_right"] / n,
        "score_base": counts["n_right_base"] / n,
        "score_norm": counts["n_right_norm"] / n,
        "score_norm_base": counts["n_right_norm_base"] / n,
        "delta_acc_pp": 100 * (counts["n_right"] - counts["n_right_base"]) / n,
        "delta_acc_norm_pp": 100 * (counts["n_right_norm"] - counts["n_right_norm_base"]) / n,
    }


def _count(output: TaskOutput, metrics: tuple[str, ...], filter_name: str | None) -> int:
    matching = {
        key: value
        for key, value in output.scores.items()
        if key.split(",")[0] in metrics and filter_name in (None, key.split(",")[1])
    }
    if len(matching) != 1:
        problem = (
            f"several filters ({', '.join(matching)}): name one in the mapping's key 'filter'"
            if matching
            else (
                f"none of the metrics {', '.join(metrics)}"
                + (f" with the filter '{filter_name}'" if filter_name else "")
            )
        )
        there = ", ".join(output.scores) or "no scores"
        raise InputError(f"{output.file}: task '{output.name}': {problem}; it has {there}")
    ((key, value),) = matching.items()
    exact = value * (output.n_items or 0)
    if not math.isfinite(exact) or abs(exact - round(exact)) > _WHOLE:
        raise InputError(
            f"{output.file}: task '{output.name}': {key} is {value}, no share of {output.n_items} right or wrong items"
        )
    return round(exact)


def _labels(subject: ImportedSubject, cell: Cell) -> dict[str, object]:
    source = subject.source
    if source is None:
        raise InputError(f"{subject} has no source")
    only = source.cells[0] if len(source.cells) == 1 else None
    return {
        "model": subject.model,
        "family": subject.family,
        "size_b": subject.size_b,
        "recipe": subject.recipe,
        "source_kind": source.kind,
        "source_name": source.name,
        "control": source.control_name,
        "source_task": only.task if only else None,
        "source_language": only.language if only else None,
        "target_task": cell.task,
        "target_language": cell.language,
        "train_seed": subject.train_seed,
        "data_seed": subject.data_seed,
        "train_size": subject.train_size,
        "checkpoint": subject.checkpoint,
        "strength": subject.strength,
    }
