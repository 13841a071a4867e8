"""How the texts of a training become tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from donorgrid.core.records.items import TokeniseWay, TrainingText


@dataclass(frozen=True, kw_only=True)
class TextEncoding:
    """How the texts of a training become tokens; the defaults are those of a study without a chat template.

    Attributes
    ----------
    tokenise
        The way of texts that do not say it themselves. With ``apart``, a text whose loss covers every token is
        ``whole``.
    append_eos
        Whether every text gets an end: the end of turn of the chat template, or EOS. None: under the template alone.
    template_args
        Arguments of the chat template under which ``joint`` texts are read, as items are; None: there is no template.
    max_length
        The most tokens that the model reads; the last token is only predicted. None: no limit.
    """

    tokenise: Literal["joint", "apart"] = "joint"
    append_eos: bool | None = None
    template_args: Mapping[str, Any] | None = None
    max_length: int | None = None

    def way(self, text: TrainingText) -> TokeniseWay:
        """How one text is tokenised."""
        if text.tokenise is not None:
            return text.tokenise
        return "whole" if self.tokenise == "apart" and text.loss_on == "all" else self.tokenise

    def reads_template(self, text: TrainingText) -> bool:
        """Whether one text is read under the chat template."""
        return self.template_args is not None and self.way(text) == "joint"

    def appends_eos(self, text: TrainingText) -> bool:
        """Whether one text gets an end."""
        return self.reads_template(text) if self.append_eos is None else self.append_eos

    def limit(self, text: TrainingText) -> int | None:
        """The most tokens of one text, by its own keys."""
        is_apart = self.tokenise == "apart" if text.tokenise is None else text.tokenise != "joint"
        return text.max_tokens_apart if is_apart and text.max_tokens_apart is not None else text.max_tokens
