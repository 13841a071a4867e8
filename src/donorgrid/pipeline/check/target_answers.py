"""From frames of item answers to what a check judges, on the items that all answered; prompts give several targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from donorgrid.check import REPLY_CHECKS, Reply, SubjectAnswers, TargetAnswers, passing_replies
from donorgrid.core.errors import InputError
from donorgrid.core.records import Item, Metric
from donorgrid.pipeline.check.prompts import Asked, identifier, validator, wanted_checks
from donorgrid.pipeline.check.targets import CheckTarget

_FEW = 40
"""With fewer items a target can hardly decide anything, which is said."""


@dataclass(frozen=True, kw_only=True)
class _Common:
    """A target's items that everybody answered, and everybody's frames on them, the base's first, in one order."""

    target: CheckTarget
    frames: tuple[pl.DataFrame, ...]
    same: tuple[bool, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.target.items


def target_answers(
    target: CheckTarget, base: pl.DataFrame, adapters: Sequence[pl.DataFrame], *, same: Sequence[bool], metric: Metric
) -> tuple[list[TargetAnswers], list[str]]:
    """(what is judged, notes). ``same`` says of each adapter whether it is the base, weight by weight."""
    common, notes = _common(target, (base, *adapters), same)
    if target.asked is not None:
        checks, said = wanted_checks(common.target.asked or ())
        return [_replies(common, check) for check in checks if _any_wanted(common, check)], [*notes, *said]
    if target.rules is not None:
        return [_generated(common)], notes
    return [_choices(common, metric)], notes


def _common(target: CheckTarget, frames: Sequence[pl.DataFrame], same: Sequence[bool]) -> tuple[_Common, list[str]]:
    everywhere = set.intersection(*(set(frame["item_id"]) for frame in frames))
    kept = [place for place, item in enumerate(target.items) if item.id in everywhere]
    if not kept:
        raise InputError(f"target '{target.name}': not one item can be read by the base and all adapters")
    order = pl.DataFrame({"item_id": [target.items[place].id for place in kept]})
    asked = None if target.asked is None else tuple(target.asked[place] for place in kept)
    found = _Common(
        target=replace(target, items=tuple(target.items[place] for place in kept), asked=asked),
        frames=tuple(order.join(frame, on="item_id", how="left", maintain_order="left") for frame in frames),
        same=tuple(same),
    )
    notes = []
    if len(kept) < len(target.items):
        notes.append(f"{target.name}: {len(target.items) - len(kept)} items are too short to score and are not used")
    if len(kept) < _FEW:
        notes.append(f"{target.name}: {len(kept)} items decide little")
    return found, notes


def _choices(common: _Common, metric: Metric) -> TargetAnswers:
    norm = common.target.norm and metric == "acc_norm"
    chosen, correct = ("chosen_norm", "correct_norm") if norm else ("chosen", "correct")

    def answers(frame: pl.DataFrame, same: bool) -> SubjectAnswers:
        picked = frame[chosen].to_numpy().astype(np.int64)
        return SubjectAnswers(
            correct=frame[correct].to_numpy().astype(np.bool_),
            chosen=picked,
            answer_texts=[item.choices[one] for item, one in zip(common.items, picked, strict=True)],
            same_as_base=same,
        )

    base = common.frames[0]
    scores = "choice_logliks_nats"
    same = [
        one or frame[scores].equals(base[scores]) for one, frame in zip(common.same, common.frames[1:], strict=True)
    ]
    return TargetAnswers(
        **_items(common),
        metric="acc_norm" if norm else "acc",
        gold=np.array([item.answer for item in common.items], dtype=np.int64),
        n_choices=np.array([len(item.choices) for item in common.items], dtype=np.int64),
        gold_texts=[item.choices[item.answer] for item in common.items],
        base=answers(base, True),
        adapters=[answers(frame, one) for frame, one in zip(common.frames[1:], same, strict=True)],
    )


def _generated(common: _Common) -> TargetAnswers:
    rules = common.target.rules
    if rules is None:
        raise InputError(f"target '{common.target.name}': it says nothing of how its answers are judged")

    def right(texts: Sequence[str]) -> list[bool]:
        return [rules.is_right(text, item.choices) for text, item in zip(texts, common.items, strict=True)]

    return TargetAnswers(
        **_items(common),
        **_nothing_chosen(common),
        metric="exact match",
        gold_texts=[" or ".join(item.choices) for item in common.items],
        base=_said(common, 0, right),
        adapters=[_said(common, place, right) for place in range(1, len(common.frames))],
    )


def _any_wanted(common: _Common, check: str) -> bool:
    return check != "json" or any(one.wants_json for one in common.target.asked or ())


def _replies(common: _Common, check: str) -> TargetAnswers:
    if check == "json":
        common = _where_json(common)
    asked = common.target.asked or ()

    def right(texts: Sequence[str]) -> Any:
        replies = [_reply(one, text, common.target.name) for one, text in zip(asked, texts, strict=True)]
        return passing_replies(check, replies, identifier())

    found = TargetAnswers(
        **_items(common),
        **_nothing_chosen(common),
        metric=check,
        gold_texts=[REPLY_CHECKS[check]] * len(common.items),
        base=_said(common, 0, right),
        adapters=[_said(common, place, right) for place in range(1, len(common.frames))],
    )
    return replace(found, name=f"{common.target.name} {check}")


def _reply(asked: Asked, text: str, where: str) -> Reply:
    validate = None if asked.schema is None else validator(asked.schema, where=where)
    return Reply(text=text, language=asked.language, validate=validate)


def _where_json(common: _Common) -> _Common:
    asked = common.target.asked or ()
    kept = [place for place, one in enumerate(asked) if one.wants_json]
    target = replace(
        common.target,
        items=tuple(common.items[place] for place in kept),
        asked=tuple(asked[place] for place in kept),
    )
    return replace(common, target=target, frames=tuple(frame[kept] for frame in common.frames))


def _said(common: _Common, place: int, right: Any) -> SubjectAnswers:
    texts = common.frames[place]["generated"].to_list()
    return SubjectAnswers(
        correct=np.asarray(right(texts), dtype=np.bool_),
        chosen=np.full(len(texts), -1, dtype=np.int64),
        answer_texts=texts,
        same_as_base=place == 0 or common.same[place - 1],
    )


def _nothing_chosen(common: _Common) -> dict[str, Any]:
    zeros = np.zeros(len(common.items), dtype=np.int64)
    return {"gold": zeros, "n_choices": zeros}


def _items(common: _Common) -> dict[str, Any]:
    return {
        "name": common.target.name,
        "role": common.target.role,
        "item_ids": [item.id for item in common.items],
        "clusters": [item.id if item.cluster is None else f"cluster {item.cluster}" for item in common.items],
        "contexts": [item.context for item in common.items],
    }
