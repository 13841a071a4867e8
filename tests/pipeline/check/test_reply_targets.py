"""Replies as targets: by check and language, and over all prompts together."""

import polars as pl

from donorgrid.check import CheckSettings, TargetAnswers, judge
from donorgrid.core.records import Cell, Item
from donorgrid.pipeline.check.common_items import CommonItems
from donorgrid.pipeline.check.prompts import Prompt
from donorgrid.pipeline.check.reply_targets import reply_targets
from donorgrid.pipeline.check.targets import CheckTarget

LOOP = "It goes on and on. " * 8


def prompts(language: str, base: list[str], adapter: list[str], *, file: str = "ask") -> CommonItems:
    cell = Cell(task=file, language=language)
    numbers = range(len(base))
    target = CheckTarget(
        name=str(cell),
        role="guard",
        cell=cell,
        items=tuple(Item(id=f"q{number}", cell=cell, context=f"{number}?", choices=(), answer=0) for number in numbers),
        prompts=tuple(
            Prompt(id=f"q{number}", text=f"{number}?", language=None, wants_json=False, schema=None)
            for number in numbers
        ),
    )
    frames = tuple(pl.DataFrame({"generated": texts}) for texts in (base, adapter))
    return CommonItems(target=target, frames=frames, same_as_base=(True, False))


def named(targets: list[TargetAnswers], name: str) -> TargetAnswers:
    return next(target for target in targets if target.name == name)


def test_all_prompts_together_show_what_each_language_is_too_small_for() -> None:
    said = [f"Answer number {number}." for number in range(40)]
    languages = [prompts(code, said, [*said[:36], *[LOOP] * 4]) for code in ("de", "en", "hi", "zh")]
    targets, _ = reply_targets(languages)
    assert [target.name for target in targets if "no-loop" in target.name] == [
        "ask/de no-loop",
        "ask/en no-loop",
        "ask/hi no-loop",
        "ask/zh no-loop",
        "all prompts no-loop",
    ]
    pooled = named(targets, "all prompts no-loop")
    assert len(set(pooled.item_ids)) == len(pooled.item_ids) == 160
    assert len(set(pooled.clusters)) == 40
    assert (int(pooled.base.correct.sum()), int(pooled.adapters[0].correct.sum())) == (160, 144)
    files = [prompts("de", said, [*said[:36], *[LOOP] * 4], file=f"file{number}") for number in range(2)]
    assert named(reply_targets(files)[0], "all prompts no-loop").name
    alone, _ = reply_targets(languages[:1])
    assert [target.name for target in alone if target.pooled] == []


def test_what_is_pooled_counts_once_where_targets_are_combined() -> None:
    said = [f"Answer number {number}." for number in range(30)]
    targets, _ = reply_targets([prompts(code, said, [LOOP, *said[1:]]) for code in ("de", "en")])
    separate = [target for target in targets if not target.pooled]
    whole = judge("base", ["a", "b"], _twice(targets), CheckSettings())
    parts = judge("base", ["a", "b"], _twice(separate), CheckSettings())
    assert whole.comparisons == parts.comparisons
    assert whole.recommendation == parts.recommendation
    assert whole.broken_by_all == parts.broken_by_all
    assert len(whole.adapters[0].targets) == len(parts.adapters[0].targets) + 3


def _twice(targets: list[TargetAnswers]) -> list[TargetAnswers]:
    """The same targets with the adapter as two adapters."""
    return [TargetAnswers(**{**vars(target), "adapters": [*target.adapters, *target.adapters]}) for target in targets]


def test_no_prompts_give_no_targets() -> None:
    assert reply_targets([]) == ([], [])
