"""From frames of item answers to what a check judges, on the items that everybody answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from donorgrid.check import REPLY_CHECKS, Reply, SubjectAnswers, TargetAnswers, passing_replies
from donorgrid.core.errors import InputError
from donorgrid.core.gold_classes import gold_labels
from donorgrid.core.records import Item, Metric
from donorgrid.pipeline.check.prompts import Prompt, checks_for
from donorgrid.pipeline.check.reply_checks import identifier, validator
from donorgrid.pipeline.check.subjects import CheckSubject
from donorgrid.pipeline.check.targets import CheckTarget
from donorgrid.tasks import GenerationRules

_FEW_ITEMS = 40
"""A target with fewer items can hardly decide anything; a note says so."""


@dataclass(frozen=True, kw_only=True)
class _CommonItems:
    """A target with the items that everybody answered, and the frames on these items in one order, the base's first.

    ``same_as_base`` says of each frame whether its subject is the base, weight by weight.
    """

    target: CheckTarget
    frames: tuple[pl.DataFrame, ...]
    same_as_base: tuple[bool, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return self.target.items


def judged_targets(
    targets: Sequence[CheckTarget],
    base: CheckSubject,
    subjects: Sequence[CheckSubject],
    frames: Mapping[str, Sequence[pl.DataFrame]],
    *,
    metric: Metric,
) -> tuple[list[TargetAnswers], tuple[str, ...]]:
    """What is judged, from everybody's item answers.

    Parameters
    ----------
    targets : sequence of CheckTarget
        The targets.
    base : CheckSubject
        The base model.
    subjects : sequence of CheckSubject
        The adapters and checkpoints, in the order of the result.
    frames : mapping of str to sequence of pl.DataFrame
        By the name of a subject: a frame of item answers per target.
    metric : {"acc", "acc_norm"}
        The metric, where a target has both.

    Returns
    -------
    (list of TargetAnswers, tuple of str)
        Prompts without a right answer give a target per check. The notes are those of subjects, targets and answers.

    Raises
    ------
    InputError
        If no item of a target was answered by everybody.
    """
    answers: list[TargetAnswers] = []
    notes = [note for subject in subjects for note in subject.notes]
    notes += [note for target in targets for note in target.notes]
    same_as_base = (True, *(subject.is_the_same_as(base) for subject in subjects))
    for index, target in enumerate(targets):
        target_frames = [frames[subject.name][index] for subject in (base, *subjects)]
        common, target_notes = _common_items(target, target_frames, same_as_base)
        notes += target_notes
        if common.target.prompts is not None:
            checks, check_notes = checks_for(common.target.prompts)
            answers += [_replies(common, common.target.prompts, check) for check in checks]
            notes += check_notes
        elif target.rules is not None:
            answers.append(_generated(common, target.rules))
        else:
            answers.append(_choices(common, metric))
    return answers, tuple(dict.fromkeys(notes))


def _common_items(
    target: CheckTarget, frames: Sequence[pl.DataFrame], same_as_base: Sequence[bool]
) -> tuple[_CommonItems, list[str]]:
    answered = set.intersection(*(set(frame["item_id"]) for frame in frames))
    kept = [index for index, item in enumerate(target.items) if item.id in answered]
    if not kept:
        raise InputError(f"target '{target.name}': not one item can be read by the base and all adapters")
    order = pl.DataFrame({"item_id": [target.items[index].id for index in kept]})
    common = _CommonItems(
        target=_select(target, kept),
        frames=tuple(order.join(frame, on="item_id", how="left", maintain_order="left") for frame in frames),
        same_as_base=tuple(same_as_base),
    )
    notes = []
    if len(kept) < len(target.items):
        notes.append(f"{target.name}: {len(target.items) - len(kept)} items are too short to score and are not used")
    if len(kept) < _FEW_ITEMS:
        notes.append(f"{target.name}: {len(kept)} items decide little")
    return common, notes


def _select(target: CheckTarget, indices: Sequence[int]) -> CheckTarget:
    prompts = None if target.prompts is None else tuple(target.prompts[index] for index in indices)
    return replace(target, items=tuple(target.items[index] for index in indices), prompts=prompts)


def _choices(common: _CommonItems, metric: Metric) -> TargetAnswers:
    norm = common.target.norm and metric == "acc_norm"
    chosen_column, correct_column = ("chosen_norm", "correct_norm") if norm else ("chosen", "correct")

    def answers(frame: pl.DataFrame, same_as_base: bool) -> SubjectAnswers:
        chosen = frame[chosen_column].to_numpy().astype(np.int64)
        return SubjectAnswers(
            correct=frame[correct_column].to_numpy().astype(np.bool_),
            chosen=chosen,
            answer_texts=[item.choices[index] for item, index in zip(common.items, chosen, strict=True)],
            same_as_base=same_as_base,
        )

    base_scores = common.frames[0]["choice_logliks_nats"]
    subjects = [
        answers(frame, same or frame["choice_logliks_nats"].equals(base_scores))
        for same, frame in zip(common.same_as_base, common.frames, strict=True)
    ]
    return TargetAnswers(
        **_items(common),
        metric="acc_norm" if norm else "acc",
        gold=np.array([item.answer for item in common.items], dtype=np.int64),
        n_choices=np.array([len(item.choices) for item in common.items], dtype=np.int64),
        gold_texts=[item.choices[item.answer] for item in common.items],
        gold_labels=gold_labels(common.items),
        base=subjects[0],
        adapters=subjects[1:],
    )


def _generated(common: _CommonItems, rules: GenerationRules) -> TargetAnswers:
    def is_right(texts: Sequence[str]) -> list[bool]:
        return [rules.is_right(text, item.choices) for text, item in zip(texts, common.items, strict=True)]

    base, *adapters = _text_answers(common, is_right)
    return TargetAnswers(
        **_items(common),
        **_no_choices(common),
        metric="exact match",
        gold_texts=[" or ".join(item.choices) for item in common.items],
        gold_labels=gold_labels(common.items),
        base=base,
        adapters=adapters,
    )


def _replies(common: _CommonItems, prompts: Sequence[Prompt], check: str) -> TargetAnswers:
    if check == "json":
        kept = [index for index, prompt in enumerate(prompts) if prompt.wants_json]
        prompts = [prompts[index] for index in kept]
        common = replace(
            common, target=_select(common.target, kept), frames=tuple(frame[kept] for frame in common.frames)
        )

    def is_right(texts: Sequence[str]) -> Any:
        replies = [_reply(prompt, text, common.target.name) for prompt, text in zip(prompts, texts, strict=True)]
        return passing_replies(check, replies, identifier())

    base, *adapters = _text_answers(common, is_right)
    answers = TargetAnswers(
        **_items(common),
        **_no_choices(common),
        metric=check,
        gold_texts=[REPLY_CHECKS[check]] * len(common.items),
        base=base,
        adapters=adapters,
    )
    return replace(answers, name=f"{common.target.name} {check}")


def _reply(prompt: Prompt, text: str, where: str) -> Reply:
    validate = None if prompt.schema is None else validator(prompt.schema, where=where)
    return Reply(text=text, language=prompt.language, validate=validate)


def _text_answers(common: _CommonItems, is_right: Any) -> list[SubjectAnswers]:
    """The generated answers of the base and then of each adapter."""
    answers = []
    for frame, same_as_base in zip(common.frames, common.same_as_base, strict=True):
        texts = frame["generated"].to_list()
        answers.append(
            SubjectAnswers(
                correct=np.asarray(is_right(texts), dtype=np.bool_),
                chosen=np.full(len(texts), -1, dtype=np.int64),
                answer_texts=texts,
                same_as_base=same_as_base,
            )
        )
    return answers


def _no_choices(common: _CommonItems) -> dict[str, Any]:
    zeros = np.zeros(len(common.items), dtype=np.int64)
    return {"gold": zeros, "n_choices": zeros}


def _items(common: _CommonItems) -> dict[str, Any]:
    return {
        "name": common.target.name,
        "role": common.target.role,
        "item_ids": [item.id for item in common.items],
        "clusters": [item.id if item.cluster is None else f"cluster {item.cluster}" for item in common.items],
        "contexts": [item.context for item in common.items],
    }
