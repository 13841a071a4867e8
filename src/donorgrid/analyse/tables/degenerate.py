"""Targets that measure format, not skill: baseline at chance, or nearly always the same answer chosen or right."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_contributions import item_contributions
from donorgrid.analyse.errors.item_errors import error_over_models
from donorgrid.analyse.reading.answers import PairedAnswers
from donorgrid.analyse.reading.cell_sets import columns_of
from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.reading.paired_differences import ArmDifferences, without_targets
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.tables import BASELINES, DEGENERATE
from donorgrid.statistics.degeneracy import chance_reason, same_answer_reason, zero_reason
from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval
from donorgrid.statistics.shrinkage import shrink_to_mean

_KEY = ["model", "task", "language"]
_ADDED = ("mean_delta_pp", "shared_se_pp", "corrected_delta_pp")
"""Columns that need the deltas, beside the baseline's answers."""


def baselines_table(
    cells: pl.DataFrame,
    settings: AnalysisSettings,
    *,
    answers: Sequence[PairedAnswers] = (),
    differences: Sequence[ArmDifferences] = (),
) -> pl.DataFrame:
    """BASELINES rows of one arm: from item answers for the models that have them, else from the cells' scores.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    settings : AnalysisSettings
        ``metric``, ``confidence`` and ``n_choices``.
    answers : sequence of PairedAnswers
        One per model that has item answers.
    differences : sequence of ArmDifferences
        Their paired differences in this arm.

    Returns
    -------
    DataFrame
        One row per model and target.
    """
    known = {model.model for model in answers}
    rows = [row for model in answers for row in _from_answers(model, settings)]
    rows += _from_scores(cells.filter(~pl.col("model").is_in(sorted(known))), settings)
    schema = BASELINES.schema_without_arm()
    frame = pl.DataFrame(rows, schema={name: schema[name] for name in schema if name not in _ADDED})
    named = cells.rename({"target_task": "task", "target_language": "language"})
    mean = means(named, _KEY).select(*_KEY, mean_delta_pp="mean_pp")
    joined = (
        frame.join(mean, on=_KEY, how="inner", maintain_order="left")
        .join(_shared_errors(differences), on=_KEY, how="left", maintain_order="left")
        .sort(_KEY)
    )
    parts = joined.partition_by("model", maintain_order=True)
    return pl.concat(map(_corrected, parts)) if parts else _corrected(joined)


def _corrected(targets: pl.DataFrame) -> pl.DataFrame:
    """One model's targets with their mean deltas shrunk by the noise that all sources share."""
    mean, se = (targets[name].fill_null(np.nan).to_numpy() for name in ("mean_delta_pp", "shared_se_pp"))
    if targets.height < 3 or np.isnan(se).any():
        return targets.with_columns(corrected_delta_pp=pl.lit(None, dtype=pl.Float64))
    return targets.with_columns(pl.Series("corrected_delta_pp", shrink_to_mean(mean, se).mean))


def degenerate_table(baselines: pl.DataFrame) -> pl.DataFrame:
    """DEGENERATE rows: the flagged baselines."""
    return baselines.filter("degenerate").select(*_KEY, "score_base", "chance", "reason")


def with_flag(cells: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """The cells with what is known of their target's baseline.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    baselines : DataFrame
        BASELINES rows.

    Returns
    -------
    DataFrame
        With ``degenerate`` (False where nothing is known) and ``shared_se_pp``, the item error of the target's mean
        over sources.
    """
    flags = baselines.select(
        "degenerate", "shared_se_pp", model="model", target_task="task", target_language="language"
    )
    key = ["model", "target_task", "target_language"]
    flagged = cells.join(flags, on=key, how="left", maintain_order="left")
    return flagged.with_columns(pl.col("degenerate").fill_null(False))


def without_degenerate(differences: Sequence[ArmDifferences], baselines: pl.DataFrame) -> list[ArmDifferences]:
    """The differences without each model's degenerate targets.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model.
    baselines : DataFrame
        BASELINES rows.

    Returns
    -------
    list of ArmDifferences
        One per model.
    """
    flagged = set(baselines.filter("degenerate").select(_KEY).iter_rows())
    return [
        without_targets(paired, {(task, language) for model, task, language in flagged if model == paired.model})
        for paired in differences
    ]


def _from_answers(answers: PairedAnswers, settings: AnalysisSettings) -> Iterator[dict[str, object]]:
    norm = settings.metric == "acc_norm"
    right = answers.base_norm if norm else answers.base
    items = answers.items.with_columns(pl.Series("right", right), pl.col("chosen_norm").fill_null(pl.col("chosen")))
    for (task, language), part in items.group_by("target_task", "target_language", maintain_order=True):
        line = {"model": answers.model, "task": task, "language": language, **_options(part, norm=norm)}
        answered = part.filter(pl.col("right") >= 0)["right"].to_numpy()
        yield _row(line, float(answered.sum()), answered.size, settings)


def _options(part: pl.DataFrame, *, norm: bool) -> dict[str, object]:
    """Chance and the entropies of one target; empty where its items have no options to choose from."""
    n_choices = part["n_choices"].drop_nulls().to_numpy()
    if not n_choices.size:
        return {"chance": None, "chosen_entropy": None, "answer_entropy": None}
    most = int(np.max(n_choices))
    chosen = part["chosen_norm" if norm else "chosen"].drop_nulls().to_numpy().astype(np.int64)
    gold = part["answer"].drop_nulls().to_numpy().astype(np.int64)
    return {
        "chance": float((1.0 / n_choices).mean()),
        "chosen_entropy": relative_entropy_of_choices(chosen[chosen >= 0], most),
        "answer_entropy": relative_entropy_of_choices(gold[gold >= 0], most),
    }


def _from_scores(cells: pl.DataFrame, settings: AnalysisSettings) -> Iterator[dict[str, object]]:
    score = "score_base" if settings.metric == "acc" else "score_norm_base"
    if score not in cells.columns:
        return
    for (model, task, language), part in cells.group_by("model", "target_task", "target_language", maintain_order=True):
        values = part[score].drop_nulls()
        if not values.len():
            continue
        n_items = 0
        if "n_items" in part.columns and part["n_items"].drop_nulls().len():
            seeds = part["n_seeds"].fill_null(1).clip(lower_bound=1)
            n_items = int(np.max((part["n_items"] // seeds).drop_nulls().to_numpy()))
        options = settings.n_choices.get(str(task))
        line: dict[str, object] = {"model": model, "task": task, "language": language}
        line["chance"] = 1.0 / options if options else None
        yield _row(line, float(np.mean(values.to_numpy())) * n_items, n_items, settings, score=values)


def _row(
    line: dict[str, object], n_right: float, n_items: int, settings: AnalysisSettings, *, score: pl.Series | None = None
) -> dict[str, object]:
    low, high = wilson_interval(n_right, n_items, settings.confidence)
    mean = n_right / n_items if n_items else (float(np.mean(score.to_numpy())) if score is not None else None)
    reasons: list[str | None] = []
    chance = line["chance"]
    if isinstance(chance, float):
        reasons.append(chance_reason(n_right, n_items, chance, confidence=settings.confidence))
    else:
        reasons.append(zero_reason(n_right, n_items))
    chosen, gold = line.get("chosen_entropy"), line.get("answer_entropy")
    if isinstance(chosen, float) and isinstance(gold, float):
        reasons.append(same_answer_reason(chosen, gold))
    reasons.append(settings.one_class.get(f"{line['task']}/{line['language']}"))
    given = [reason for reason in reasons if reason is not None]
    return line | {
        "n_items": n_items or None,
        "score_base": mean,
        "score_base_low": low if n_items else None,
        "score_base_high": high if n_items else None,
        "degenerate": bool(given),
        "reason": "; ".join(given) or None,
    }


def _shared_errors(differences: Sequence[ArmDifferences]) -> pl.DataFrame:
    """Per (model, target): the item error of its mean delta over all sources."""
    rows = []
    for paired in differences:
        whole = np.ones((len(paired.source_names), 1), dtype=bool)
        sets = {name: whole & column for name, column in columns_of(paired.target_names).items()}
        parts = item_contributions(paired, sets)
        rows += [
            {
                "model": paired.model,
                "task": task,
                "language": language,
                "shared_se_pp": error_over_models([parts], f"{task}/{language}"),
            }
            for task, language, _ in paired.targets()
        ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_KEY, pl.String) | {"shared_se_pp": pl.Float64})


TABLES = (
    TableMaker({"baselines": BASELINES}, lambda arm: (arm.baselines,)),
    TableMaker({"degenerate": DEGENERATE}, lambda arm: (degenerate_table(arm.baselines),)),
)
