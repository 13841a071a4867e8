"""Targets whose baseline measures format and not skill: at chance, or nearly always the same answer."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_sums import item_sums, over_models_se
from donorgrid.analyse.errors.paired_differences import ArmDifferences, without_targets
from donorgrid.analyse.reading.answers import PairedAnswers
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import means
from donorgrid.core.tables import BASELINES
from donorgrid.statistics.degeneracy import chance_reason, same_answer_reason
from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval
from donorgrid.statistics.shrinkage import shrink

_KEY = ["model", "task", "language"]


def baselines_table(
    cells: pl.DataFrame,
    settings: AnalysisSettings,
    *,
    answers: Sequence[PairedAnswers] = (),
    own: Sequence[ArmDifferences] = (),
) -> pl.DataFrame:
    """BASELINES rows of one arm: from item answers for the models that have them, else from the cells' scores."""
    known = {one.model for one in answers}
    rows = [row for one in answers for row in _from_answers(one, settings)]
    rows += _from_scores(cells.filter(~pl.col("model").is_in(sorted(known))), settings)
    schema = BASELINES.schema_without_arm()
    frame = pl.DataFrame(rows, schema={name: schema[name] for name in schema if name not in _LATER})
    named = cells.rename({"target_task": "task", "target_language": "language"})
    mean = means(named, _KEY).select(*_KEY, mean_delta_pp="mean_pp")
    joined = (
        frame.join(mean, on=_KEY, how="inner", maintain_order="left")
        .join(_shared_errors(own), on=_KEY, how="left", maintain_order="left")
        .sort(_KEY)
    )
    parts = joined.partition_by("model", maintain_order=True)
    return pl.concat(map(_corrected, parts)) if parts else _corrected(joined)


_LATER = ("mean_delta_pp", "shared_se_pp", "corrected_delta_pp")


def _corrected(own: pl.DataFrame) -> pl.DataFrame:
    """One model's targets with their mean deltas shrunk by the noise that all sources share."""
    mean, se = (own[name].fill_null(np.nan).to_numpy() for name in ("mean_delta_pp", "shared_se_pp"))
    if own.height < 3 or np.isnan(se).any():
        return own.with_columns(corrected_delta_pp=pl.lit(None, dtype=pl.Float64))
    centre, spread = float(mean.mean()), float(np.var(mean, ddof=1))
    posterior = shrink(
        mean,
        se,
        np.full(mean.size, centre),
        prior_variance=max(0.0, spread - float((se**2).mean())),
        prior_se=np.full(mean.size, np.sqrt(spread / mean.size)),
    )
    return own.with_columns(pl.Series("corrected_delta_pp", posterior.mean))


def degenerate_table(baselines: pl.DataFrame) -> pl.DataFrame:
    """DEGENERATE rows: the flagged baselines."""
    return baselines.filter("degenerate").select(*_KEY, "score_base", "chance", "reason")


def with_flag(cells: pl.DataFrame, baselines: pl.DataFrame) -> pl.DataFrame:
    """The cells with ``degenerate`` (whether the target's baseline measures format; False where nothing is known).

    And with ``shared_se_pp``, the item error of the target's mean over sources.
    """
    flags = baselines.select(
        "degenerate", "shared_se_pp", model="model", target_task="task", target_language="language"
    )
    key = ["model", "target_task", "target_language"]
    flagged = cells.join(flags, on=key, how="left", maintain_order="left")
    return flagged.with_columns(pl.col("degenerate").fill_null(False))


def without_degenerate(own: Sequence[ArmDifferences], baselines: pl.DataFrame) -> list[ArmDifferences]:
    """The differences without each model's degenerate targets."""
    flagged = set(baselines.filter("degenerate").select(_KEY).iter_rows())
    return [
        without_targets(made, {(task, language) for model, task, language in flagged if model == made.model})
        for made in own
    ]


def _from_answers(answers: PairedAnswers, settings: AnalysisSettings) -> Iterator[dict[str, object]]:
    norm = settings.metric == "acc_norm"
    right = answers.base_norm if norm else answers.base
    items = answers.items.with_columns(pl.Series("right", right), pl.col("chosen_norm").fill_null(pl.col("chosen")))
    for (task, language), part in items.group_by("target_task", "target_language", maintain_order=True):
        line = {"model": answers.model, "task": task, "language": language, **_options(part, norm=norm)}
        answered = part.filter(pl.col("right") >= 0)["right"].to_numpy()
        yield _judged(line, float(answered.sum()), answered.size, settings)


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
        yield _judged(line, float(np.mean(values.to_numpy())) * n_items, n_items, settings, score=values)


def _judged(
    line: dict[str, object], n_right: float, n_items: int, settings: AnalysisSettings, *, score: pl.Series | None = None
) -> dict[str, object]:
    low, high = wilson_interval(n_right, n_items, settings.confidence)
    mean = n_right / n_items if n_items else (float(np.mean(score.to_numpy())) if score is not None else None)
    found: list[str | None] = []
    chance = line["chance"]
    if isinstance(chance, float):
        found.append(chance_reason(n_right, n_items, chance, confidence=settings.confidence))
    chosen, gold = line.get("chosen_entropy"), line.get("answer_entropy")
    if isinstance(chosen, float) and isinstance(gold, float):
        found.append(same_answer_reason(chosen, gold))
    reasons = [reason for reason in found if reason is not None]
    return line | {
        "n_items": n_items or None,
        "score_base": mean,
        "score_base_low": low if n_items else None,
        "score_base_high": high if n_items else None,
        "degenerate": bool(reasons),
        "reason": "; ".join(reasons) or None,
    }


def _shared_errors(own: Sequence[ArmDifferences]) -> pl.DataFrame:
    """Per (model, target): the item error of its mean delta over all sources."""
    rows = []
    for made in own:
        targets = list(zip(made.target_tasks, made.target_languages, strict=True))
        sets = {f"{task}/{language}": _only(made, place) for place, (task, language) in enumerate(targets)}
        found = item_sums(made, sets)
        rows += [
            {
                "model": made.model,
                "task": task,
                "language": language,
                "shared_se_pp": over_models_se([found], f"{task}/{language}"),
            }
            for task, language in targets
        ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_KEY, pl.String) | {"shared_se_pp": pl.Float64})


def _only(made: ArmDifferences, place: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((len(made.source_names), len(made.target_tasks)), dtype=bool)
    mask[:, place] = True
    return mask
