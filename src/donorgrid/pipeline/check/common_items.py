"""The items of a target that base and adapters all answered, and the parts of a judged target that follow from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from donorgrid.check import SubjectAnswers
from donorgrid.core.errors import InputError
from donorgrid.core.records import Item
from donorgrid.pipeline.check.prompts import Prompt
from donorgrid.pipeline.check.targets import CheckTarget

_FEW_ITEMS = 40
"""A target with fewer items can hardly decide anything; a note says so."""


@dataclass(frozen=True, kw_only=True)
class CommonItems:
    """A target with the items that everybody answered, and the frames on these items in one order, the base's first.

    ``same_as_base`` says of each frame whether its subject is the base, weight by weight.
    """

    target: CheckTarget
    frames: tuple[pl.DataFrame, ...]
    same_as_base: tuple[bool, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The items that everybody answered."""
        return self.target.items

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts of these items; empty where items have a right answer."""
        return self.target.prompts or ()


def common_items(
    target: CheckTarget, frames: Sequence[pl.DataFrame], same_as_base: Sequence[bool]
) -> tuple[CommonItems, list[str]]:
    """The items of a target that everybody answered.

    Parameters
    ----------
    target : CheckTarget
        The target.
    frames : sequence of pl.DataFrame
        The item answers of the base and of every adapter.
    same_as_base : sequence of bool
        Whether each of them is the base, weight by weight.

    Returns
    -------
    (CommonItems, list of str)
        The notes say how many items are left out, or that few are left.

    Raises
    ------
    InputError
        If no item was answered by everybody.
    """
    answered = set.intersection(*(set(frame["item_id"]) for frame in frames))
    kept = [index for index, item in enumerate(target.items) if item.id in answered]
    if not kept:
        raise InputError(f"target '{target.name}': not one item can be read by the base and all adapters")
    order = pl.DataFrame({"item_id": [target.items[index].id for index in kept]})
    common = CommonItems(
        target=select(target, kept),
        frames=tuple(order.join(frame, on="item_id", how="left", maintain_order="left") for frame in frames),
        same_as_base=tuple(same_as_base),
    )
    notes = []
    if len(kept) < len(target.items):
        notes.append(f"{target.name}: {len(target.items) - len(kept)} items are too short to score and are not used")
    if len(kept) < _FEW_ITEMS:
        notes.append(f"{target.name}: {len(kept)} items decide little")
    return common, notes


def select(target: CheckTarget, indices: Sequence[int]) -> CheckTarget:
    """A target with some of its items, and their prompts.

    Parameters
    ----------
    target : CheckTarget
        The target.
    indices : sequence of int
        Which items, in their order.

    Returns
    -------
    CheckTarget
    """
    prompts = None if target.prompts is None else tuple(target.prompts[index] for index in indices)
    return replace(target, items=tuple(target.items[index] for index in indices), prompts=prompts)


def text_answers(common: CommonItems, is_right: Callable[[list[str]], Any]) -> list[SubjectAnswers]:
    """The generated answers of the base and then of each adapter.

    Parameters
    ----------
    common : CommonItems
        The items with everybody's answers.
    is_right : callable
        From all texts of one subject to whether each is right.

    Returns
    -------
    list of SubjectAnswers
    """
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


def no_choices(common: CommonItems) -> dict[str, Any]:
    """The fields of a judged target that say that its answers are generated."""
    zeros = np.zeros(len(common.items), dtype=np.int64)
    return {"gold": zeros, "n_choices": zeros}


def item_fields(common: CommonItems) -> dict[str, Any]:
    """The fields of a judged target that its items fill."""
    return {
        "name": common.target.name,
        "role": common.target.role,
        "item_ids": [item.id for item in common.items],
        "clusters": [item.id if item.cluster is None else f"cluster {item.cluster}" for item in common.items],
        "contexts": [item.context for item in common.items],
    }
