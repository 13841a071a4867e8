"""From frames of item answers to what a check judges, on the items that everybody answered."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from donorgrid.check import SubjectAnswers, TargetAnswers
from donorgrid.core.gold_classes import gold_labels
from donorgrid.core.records import Metric
from donorgrid.pipeline.check.common_items import CommonItems, common_items, item_fields, no_choices, text_answers
from donorgrid.pipeline.check.reply_targets import reply_targets
from donorgrid.pipeline.check.subjects import CheckSubject
from donorgrid.pipeline.check.targets import CheckTarget
from donorgrid.tasks import GenerationRules


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
        Prompts without a right answer give a target per check, after the others. The notes are those of subjects,
        targets and answers.

    Raises
    ------
    InputError
        If no item of a target was answered by everybody.
    """
    answers: list[TargetAnswers] = []
    notes = [note for subject in subjects for note in subject.notes]
    notes += [note for target in targets for note in target.notes]
    same_as_base = (True, *(subject.is_the_same_as(base) for subject in subjects))
    prompts: list[CommonItems] = []
    for index, target in enumerate(targets):
        target_frames = [frames[subject.name][index] for subject in (base, *subjects)]
        common, target_notes = common_items(target, target_frames, same_as_base)
        notes += target_notes
        if common.target.prompts is not None:
            prompts.append(common)
        elif target.rules is not None:
            answers.append(_generated(common, target.rules))
        else:
            answers.append(_choices(common, metric))
    on_replies, reply_notes = reply_targets(prompts)
    notes += reply_notes
    return [*answers, *on_replies], tuple(dict.fromkeys(notes))


def _choices(common: CommonItems, metric: Metric) -> TargetAnswers:
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
        **item_fields(common),
        metric="acc_norm" if norm else "acc",
        gold=np.array([item.answer for item in common.items], dtype=np.int64),
        n_choices=np.array([len(item.choices) for item in common.items], dtype=np.int64),
        gold_texts=[item.choices[item.answer] for item in common.items],
        gold_labels=gold_labels(common.items),
        base=subjects[0],
        adapters=subjects[1:],
    )


def _generated(common: CommonItems, rules: GenerationRules) -> TargetAnswers:
    def is_right(texts: Sequence[str]) -> list[bool]:
        return [rules.is_right(text, item.choices) for text, item in zip(texts, common.items, strict=True)]

    base, *adapters = text_answers(common, is_right)
    return TargetAnswers(
        **item_fields(common),
        **no_choices(common),
        metric="exact match",
        gold_texts=[" or ".join(item.choices) for item in common.items],
        gold_labels=gold_labels(common.items),
        base=base,
        adapters=adapters,
    )
