"""A fine-tuning of a study, and its texts as rows for other trainers."""

from dataclasses import dataclass
from typing import Any

from donorgrid.core.records import Recipe, TrainingText


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One fine-tuning: ``model_id`` is a hub ID or a folder; texts are those after the validation split."""

    model_id: str
    revision: str | None
    source_name: str
    recipe: Recipe
    train_seed: int
    train: tuple[TrainingText, ...]
    validation: tuple[TrainingText, ...]

    @property
    def n_warmup(self) -> int:
        """The optimizer steps of the warm-up."""
        return self.recipe.n_warmup_steps(len(self.train))

    @property
    def longest(self) -> int | None:
        """The truncation length, if every text states one and keeps its start; otherwise None."""
        texts = (*self.train, *self.validation)
        limits = [text.max_tokens for text in texts if text.max_tokens is not None and text.keep == "start"]
        return max(limits) if limits and len(limits) == len(texts) else None


def _parts(text: TrainingText) -> tuple[str, str]:
    """Splits a text into what is only read (empty if the loss covers all of it) and what is learned."""
    return ("", text.prompt + text.target) if text.loss_on == "all" else (text.prompt, text.target)


def prompt_completion(text: TrainingText) -> dict[str, Any]:
    """Returns a row for TRL and LLaMA-Factory: what is read, and what is learned."""
    read, learned = _parts(text)
    return {"prompt": read, "completion": learned}


def segments(text: TrainingText) -> dict[str, Any]:
    """Returns a row for Axolotl: segments, of which those labelled true are learned."""
    read, learned = _parts(text)
    return {"segments": [*([{"label": False, "text": read}] if read else []), {"label": True, "text": learned}]}
