"""The headline: what was measured and what came out, in plain words, every number read from a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from donorgrid.core.records import UNTRAINED
from donorgrid.report.arms import ARM, by_arm
from donorgrid.report.formatting import count, is_absent, percent, signed_pp, with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.intervals import drawn_again, interval_of
from donorgrid.report.standard_errors import error_beside

_NAMED = 3
_TRANSFER = "transfer"
_DRAWN = ("mean_pp", "harm_rate")
_ONE_MODEL = (
    "With one base model there is no standard error over models: ± is over the test items, and says nothing of "
    "other models."
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One large number with what it is."""

    value: str
    name: str
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """Tiles, then sentences."""

    tiles: tuple[Tile, ...]
    sentences: tuple[str, ...]


def headline(tables: Mapping[str, pl.DataFrame], head: ReportHead) -> Headline:
    """The first screen of the report."""
    deltas = tables["deltas"]
    transfers = _transfers(tables.get("regimes"))
    tiles = (
        *(_transfer_tiles(transfers[0][1], head) if len(transfers) == 1 else ()),
        Tile(value=count(adapters(deltas)), name="adapters trained and scored"),
        Tile(value=count(head.n_cells_done), name=f"of {count(head.n_cells_planned)} planned cells measured"),
    )
    sentences = (
        _what(deltas, head),
        *_shown(deltas),
        *(_of_arm(label, _outcome(transfer, head)) for label, transfer in transfers),
        *_intervals(tables.get("intervals")),
        *_noise(tables.get("noise"), head),
        *_best(tables.get("choosing")),
        *_roles(tables.get("roles_language"), "language", head),
        *_roles(tables.get("roles_task"), "task", head),
        *([_ONE_MODEL] if len(head.models) == 1 else []),
        _missing(head),
        _degenerate(tables.get("degenerate")),
    )
    return Headline(tiles=tiles, sentences=sentences)


def adapters(deltas: pl.DataFrame) -> int:
    """How many adapters stand behind the deltas: per arm, model and source, the seeds of its fullest cell."""
    trained = deltas.filter(pl.col("recipe") != UNTRAINED)
    if trained.is_empty():
        return 0
    key = [name for name in ("model", "source_name", "data_seed", *ARM) if name in trained.columns]
    return int(trained.group_by(key).agg(pl.col("n_seeds").max())["n_seeds"].sum())


def _transfer_tiles(transfer: Mapping[str, float], head: ReportHead) -> tuple[Tile, ...]:
    return (
        Tile(
            value=f"{with_se(transfer['mean_pp'], _error(transfer))} pp",
            name="mean delta away from the trained cell",
        ),
        Tile(value=percent(transfer["positive_rate"]), name="of transfer cells gained", tone="gain"),
        Tile(value=percent(transfer["harm_rate"]), name=f"of transfer cells lost {_limit(head)} or more", tone="loss"),
    )


def _limit(head: ReportHead) -> str:
    return f"{head.harm_limit_pp:g} pp"


def _transfers(regimes: pl.DataFrame | None) -> list[tuple[str, Mapping[str, float]]]:
    """The transfer row of every arm that has one."""
    arms = () if regimes is None or regimes.is_empty() else by_arm(regimes)
    rows = [(label, row) for label, part in arms for row in part.filter(pl.col("regime") == _TRANSFER).to_dicts()]
    return [(label, row) for label, row in rows if row["n"] and not is_absent(row["mean_pp"])]


def _of_arm(label: str, sentence: str) -> str:
    return f"{label}: {sentence}" if label else sentence


def _what(deltas: pl.DataFrame, head: ReportHead) -> str:
    sources = deltas.filter(pl.col("recipe") != UNTRAINED)["source_name"].n_unique()
    targets = deltas.select("target_task", "target_language").n_unique()
    axes = ((head.models, "base model"), (head.recipes, "recipe"), (head.train_seeds, "train seed"))
    drawn = ", ".join(_many(len(members), thing) for members, thing in axes)
    return (
        f"{_many(adapters(deltas), 'adapter')} from {_many(sources, 'source')} ({drawn}) answered the test items "
        f"of {_many(targets, 'target cell')}: {_many(len(head.tasks), 'task')} in "
        f"{_many(len(head.languages), 'language')}. A delta compares an adapter with its untrained base model on the "
        "same items."
    )


def _shown(deltas: pl.DataFrame) -> list[str]:
    """What was shown to the base model and not trained on."""
    names = deltas.filter(pl.col("recipe") == UNTRAINED)["source_name"].unique(maintain_order=True).to_list()
    if not names:
        return []
    return [f"Shown and not trained on, as a control: {', '.join(names)} (solved items before every question)."]


def _outcome(transfer: Mapping[str, float], head: ReportHead) -> str:
    return (
        f"Over {count(int(transfer['n']))} transfer cells (every pair but the trained cell itself) the mean delta is "
        f"{with_se(transfer['mean_pp'], _error(transfer))} pp and the median {signed_pp(transfer['median_pp'])} "
        f"pp; {percent(transfer['positive_rate'])} gained, and {percent(transfer['harm_rate'])} lost {_limit(head)} or "
        "more."
    )


def _error(transfer: Mapping[str, float]) -> float | None:
    """The standard error over models, or over the test items where there is one model."""
    over_models = transfer["mean_se_pp"]
    return transfer.get("mean_noise_se_pp") if is_absent(over_models) else over_models


def _intervals(intervals: pl.DataFrame | None) -> list[str]:
    """How far the mean delta and the harm rate can be trusted, where items and runs could be drawn again."""
    arms = () if intervals is None or intervals.is_empty() else by_arm(intervals)
    ends = [(label, part, [interval_of(part, "regime", _TRANSFER, one) for one in _DRAWN]) for label, part in arms]
    return [
        _of_arm(
            label,
            f"With {drawn_again(part)} drawn again, the interval of that mean is {mean} pp, of the share lost {harm}.",
        )
        for label, part, (mean, harm) in ends
        if mean and harm
    ]


def _noise(noise: pl.DataFrame | None, head: ReportHead) -> list[str]:
    """What noise alone would give, beside the harm that was counted."""
    arms = () if noise is None or noise.is_empty() else by_arm(noise)
    rows = [(label, row) for label, part in arms for row in part.filter(pl.col("regime") == _TRANSFER).to_dicts()]
    return [
        _of_arm(
            label,
            f"If no training had any effect, {percent(row['expected_harm_rate_no_effect'])} of transfer cells would "
            f"still seem to lose {_limit(head)} or more. Judged one by one, {percent(row['safe_rate'])} are safe at "
            f"that limit, {percent(row['verdict_harmed_rate'])} are harmed and {percent(row['undecided_rate'])} are "
            "undecided.",
        )
        for label, row in rows
        if not is_absent(row["expected_harm_rate_no_effect"])
    ]


def _best(choosing: pl.DataFrame | None) -> list[str]:
    """The best source, with what it gives on items that it was not chosen on."""
    arms = () if choosing is None or choosing.is_empty() else by_arm(choosing)
    return [
        _of_arm(
            label,
            f"Best source of {count(row['n_candidates'])} for {row['model']}: {row['best']}, "
            f"{signed_pp(row['apparent_pp'])} pp; chosen on one half of the {row['split']} and measured on the other, "
            f"the best gives {signed_pp(row['honest_pp'])} pp.",
        )
        for label, part in arms
        for row in part.filter(pl.col("what") == "source").to_dicts()
        if not is_absent(row["honest_pp"])
    ]


def _roles(roles: pl.DataFrame | None, kind: str, head: ReportHead) -> list[str]:
    arms = () if roles is None or roles.is_empty() else by_arm(roles)
    return [_of_arm(label, sentence) for label, part in arms for sentence in _arm_roles(part, kind, head)]


def _arm_roles(roles: pl.DataFrame, kind: str, head: ReportHead) -> list[str]:
    sentences = []
    donors = roles.drop_nulls("donor_pp").sort(["donor_pp", kind], descending=[True, False])
    if not donors.is_empty():
        best = donors.head(max(1, min(_NAMED, donors.height // 2)))
        sentences.append(f"Best donor {_plural(kind, best.height)}: {_list(best, kind, 'donor', head)}.")
    recipients = roles.drop_nulls("recipient_pp").sort(["recipient_pp", kind])
    harmed = recipients.filter(pl.col("recipient_pp") < 0)
    if not harmed.is_empty():
        most = harmed.head(_NAMED)
        sentences.append(f"Lowest recipient {_plural(kind, most.height)}: {_list(most, kind, 'recipient', head)}.")
    elif not recipients.is_empty():
        worst = _list(recipients.head(1), kind, "recipient", head)
        sentences.append(f"No {kind} loses on average as a recipient; the least helped is {worst}.")
    return sentences


def _list(roles: pl.DataFrame, kind: str, role: str, head: ReportHead) -> str:
    error = error_beside(roles, role)
    told = [
        f"{head.language(row[kind]) if kind == 'language' else row[kind]} {with_se(row[f'{role}_pp'], row.get(error))}"
        for row in roles.iter_rows(named=True)
    ]
    return ", ".join(told) + " pp"


def _missing(head: ReportHead) -> str:
    missing = head.n_cells_planned - head.n_cells_done
    if not missing:
        return "No planned cell is missing."
    listed = f"; {_many(len(head.failures), 'failure')} listed below" if head.failures else ""
    return f"{_many(missing, 'planned cell')} missing (hatched in the matrix, never counted as zero){listed}."


def _degenerate(degenerate: pl.DataFrame | None) -> str:
    if degenerate is None:
        return "Targets were not checked for degenerate baselines (at chance, or one letter nearly always)."
    if degenerate.is_empty():
        return "No target has a degenerate baseline."
    cells = [
        f"{task}/{language}"
        for task, language in degenerate.select("task", "language").unique().sort("task", "language").iter_rows()
    ]
    return f"Degenerate targets, whose baseline measures format and not skill: {', '.join(cells)}."


def _many(number: int, thing: str) -> str:
    return f"{count(number)} {_plural(thing, number)}"


def _plural(thing: str, number: int) -> str:
    return thing if number == 1 else f"{thing}s"
