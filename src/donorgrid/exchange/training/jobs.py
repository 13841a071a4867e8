"""A fine-tuning of a study, and its texts as rows for other trainers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import Recipe, TextEncoding, TrainingText

Written = Callable[[TrainingText], tuple[str, str]]
"""A text as what is read and what is learned, with every special token written out."""


def plain_parts(text: TrainingText) -> tuple[str, str]:
    """A text as what is read and what is learned, without special tokens."""
    return text.prompt, text.target


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One fine-tuning: ``model_id`` is a hub ID or a folder; texts are those after the validation split.

    ``encoding`` says how donorgrid turns the texts into tokens; ``written`` writes their special tokens out.
    """

    model_id: str
    revision: str | None
    source_name: str
    recipe: Recipe
    train_seed: int
    train: tuple[TrainingText, ...]
    validation: tuple[TrainingText, ...]
    encoding: TextEncoding = field(default_factory=TextEncoding)
    written: Written = plain_parts

    @property
    def n_warmup(self) -> int:
        """The optimizer steps of the warm-up."""
        return self.recipe.n_warmup_steps(len(self.train))

    @property
    def longest(self) -> int | None:
        """The truncation length, if every text states one and keeps its start; otherwise None."""
        texts = (*self.train, *self.validation)
        limits = [self.encoding.limit(text) for text in texts if text.keep == "start"]
        known = [limit for limit in limits if limit is not None]
        return max(known) if known and len(known) == len(texts) else None

    @cached_property
    def reads_template(self) -> bool:
        """Whether the texts are read under the chat template. InputError if some are and others are not."""
        (first, *others) = {self.encoding.reads_template(text) for text in (*self.train, *self.validation)}
        if others:
            raise InputError(
                f"source '{self.source_name}': some texts are read under the chat template and others are not; "
                "a trainer takes one kind: set 'tokenise' alike in its tasks"
            )
        return first

    @property
    def ways(self) -> set[str]:
        """How its texts are tokenised."""
        return {self.encoding.way(text) for text in self.train}

    @property
    def appends_eos(self) -> bool:
        """Whether a text gets an end."""
        return any(self.encoding.appends_eos(text) for text in self.train)


def prompt_completion(text: TrainingText, job: TrainingJob) -> dict[str, Any]:
    """Returns a row for TRL, which applies a chat template and adds special tokens by itself.

    Parameters
    ----------
    text : TrainingText
        The text.
    job : TrainingJob
        Its fine-tuning.

    Returns
    -------
    dict
        The row.
    """
    if not job.reads_template:
        read, learned = _by_loss(text, plain_parts(text))
        return {"prompt": read, "completion": learned}
    messages = text.messages or (("user", text.prompt),)
    answer = text.chat_delimiter + text.target.removeprefix(text.delimiter)
    if messages[-1][0] == "assistant":
        messages, answer = messages[:-1], messages[-1][1] + answer
    arguments = dict(job.encoding.template_args or {})
    return {
        "prompt": [{"role": role, "content": content} for role, content in messages],
        "completion": [{"role": "assistant", "content": answer}],
        **({"chat_template_kwargs": arguments} if arguments else {}),
    }


def written_completion(text: TrainingText, job: TrainingJob) -> dict[str, Any]:
    """Returns a row for LLaMA-Factory: what is read, and what is learned, with the special tokens written out.

    Parameters
    ----------
    text : TrainingText
        The text.
    job : TrainingJob
        Its fine-tuning.

    Returns
    -------
    dict
        The row.
    """
    read, learned = _by_loss(text, job.written(text))
    return {"prompt": read, "completion": learned}


def segments(text: TrainingText, job: TrainingJob) -> dict[str, Any]:
    """Returns a row for Axolotl: segments with the special tokens written out. Those labelled true are learned.

    Parameters
    ----------
    text : TrainingText
        The text.
    job : TrainingJob
        Its fine-tuning.

    Returns
    -------
    dict
        The row.
    """
    read, learned = _by_loss(text, job.written(text))
    return {"segments": [*([{"label": False, "text": read}] if read else []), {"label": True, "text": learned}]}


def _by_loss(text: TrainingText, parts: tuple[str, str]) -> tuple[str, str]:
    """Nothing is only read if the loss covers all of a text."""
    return ("", "".join(parts)) if text.loss_on == "all" else parts
