"""Replies to prompts without a right answer, as targets: one per check and language, and one over all languages."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from donorgrid.check import REPLY_CHECKS, Reply, SubjectAnswers, TargetAnswers, loop_limit_of, passing_replies
from donorgrid.pipeline.check.common_items import CommonItems, item_fields, no_choices, select, text_answers
from donorgrid.pipeline.check.prompts import Prompt, checks_for
from donorgrid.pipeline.check.reply_checks import identifier, validator


def reply_targets(prompts: Sequence[CommonItems]) -> tuple[list[TargetAnswers], list[str]]:
    """What is judged of prompts without a right answer.

    Parameters
    ----------
    prompts : sequence of CommonItems
        The prompts of each file and language, with the replies of base and adapters; none is allowed.

    Returns
    -------
    (list of TargetAnswers, list of str)
        A target per check, file and language, and a target per check over all prompts, where these are of several
        languages or files: it decides with fewer prompts per language. The notes say which checks the prompts do not
        allow.
    """
    limit = loop_limit_of([text for common in prompts for text in common.frames[0]["generated"].to_list()])
    answers: list[TargetAnswers] = []
    notes: list[str] = []
    by_check: dict[str, list[TargetAnswers]] = {}
    for common in prompts:
        checks, check_notes = checks_for(common.prompts)
        notes += check_notes
        for check in checks:
            target = _replies(common, check, loop_limit=limit)
            answers.append(target)
            by_check.setdefault(check, []).append(target)
    several = {check: targets for check, targets in by_check.items() if len(targets) > 1}
    return answers + [_pooled(f"all prompts {check}", targets) for check, targets in several.items()], notes


def _pooled(name: str, targets: Sequence[TargetAnswers]) -> TargetAnswers:
    """One check over all prompts; those with one ID, such as translations of each other, are one cluster."""
    zeros = np.zeros(sum(len(target.item_ids) for target in targets), dtype=np.int64)
    return replace(
        targets[0],
        name=name,
        item_ids=[f"{target.name}/{item_id}" for target in targets for item_id in target.item_ids],
        clusters=[cluster for target in targets for cluster in target.clusters],
        gold=zeros,
        n_choices=zeros,
        base=_joined([target.base for target in targets]),
        adapters=[_joined(parts) for parts in zip(*(target.adapters for target in targets), strict=True)],
        contexts=[context for target in targets for context in target.contexts],
        gold_texts=[text for target in targets for text in target.gold_texts],
        pooled=True,
    )


def _joined(parts: Sequence[SubjectAnswers]) -> SubjectAnswers:
    return SubjectAnswers(
        correct=np.concatenate([part.correct for part in parts]),
        chosen=np.concatenate([part.chosen for part in parts]),
        answer_texts=[text for part in parts for text in part.answer_texts],
        same_as_base=all(part.same_as_base for part in parts),
    )


def _replies(common: CommonItems, check: str, *, loop_limit: float) -> TargetAnswers:
    if check == "json":
        kept = [index for index, prompt in enumerate(common.prompts) if prompt.wants_json]
        common = replace(
            common, target=select(common.target, kept), frames=tuple(frame[kept] for frame in common.frames)
        )

    def passes(texts: Sequence[str]) -> Any:
        replies = [_reply(prompt, text, common.target.name) for prompt, text in zip(common.prompts, texts, strict=True)]
        return passing_replies(check, replies, identifier(), loop_limit=loop_limit)

    base, *adapters = text_answers(common, passes)
    answers = TargetAnswers(
        **item_fields(common),
        **no_choices(common),
        metric=check,
        gold_texts=[REPLY_CHECKS[check]] * len(common.items),
        base=base,
        adapters=adapters,
    )
    return replace(answers, name=f"{common.target.name} {check}")


def _reply(prompt: Prompt, text: str, where: str) -> Reply:
    validate = None if prompt.schema is None else validator(prompt.schema, where=where)
    return Reply(text=text, language=prompt.language, validate=validate)
