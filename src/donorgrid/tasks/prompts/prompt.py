"""Joins a description, few-shot examples and a question to the context that a model reads, as lm-eval joins them."""

from dataclasses import dataclass

Messages = tuple[tuple[str, str], ...]
"""(role, content) pairs."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One solved example of a few-shot prompt; ``gen_prefix`` is the start of its answer, where a task has one."""

    question: str
    answer: str
    gen_prefix: str | None
    target_delimiter: str
    fewshot_delimiter: str

    def __str__(self) -> str:
        if not self.gen_prefix:
            return self.question + self.target_delimiter + self.answer + self.fewshot_delimiter
        opened = joined(self.question, self.gen_prefix, self.target_delimiter)
        return joined(opened, self.answer, " ", last_part=self.gen_prefix) + self.fewshot_delimiter


def joined(first: str, second: str, delimiter: str, *, last_part: str | None = None) -> str:
    """Join two texts with a delimiter where they need one.

    Parameters
    ----------
    first, second
        The texts.
    delimiter
        Goes between them, unless one is empty or there is whitespace already.
    last_part
        The part of ``first`` whose end decides; by default all of it.

    Returns
    -------
    str
    """
    end = first if last_part is None else last_part
    touching = not end or not second or end[-1].isspace() or second[0].isspace()
    return first + second if touching else first + delimiter + second


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """The parts of one context.

    Attributes
    ----------
    question
        The rendered ``doc_to_text``.
    description
        The text before everything else.
    shots
        The few-shot examples, in order.
    gen_prefix
        The start of the answer, which the model continues; None for none.
    target_delimiter
        Goes between the question and ``gen_prefix``.
    """

    question: str
    description: str = ""
    shots: tuple[Shot, ...] = ()
    gen_prefix: str | None = None
    target_delimiter: str = " "

    @property
    def _examples(self) -> str:
        return "".join(map(str, self.shots))

    @property
    def context(self) -> str:
        """The plain text, without a chat template."""
        if not self.gen_prefix:
            return self.description + self._examples + self.question
        opened = joined(self.question, self.gen_prefix, self.target_delimiter)
        return self.description + self._examples + opened

    @property
    def messages(self) -> Messages:
        """The messages for a chat template; empty if they are one user message that holds the context."""
        if not self.description and not self.gen_prefix:
            return ()
        system = (("system", self.description),) if self.description else ()
        assistant = (("assistant", self.gen_prefix),) if self.gen_prefix else ()
        return (*system, ("user", self._examples + self.question), *assistant)


def chat_delimiter(gen_prefix: str | None, target_delimiter: str) -> str:
    """What precedes an option under a chat template.

    Parameters
    ----------
    gen_prefix
        The start of the answer, or None.
    target_delimiter
        What precedes an option in plain text.

    Returns
    -------
    str
        ``target_delimiter`` if ``gen_prefix`` is set and does not end in whitespace, else an empty string.
    """
    return target_delimiter if gen_prefix and not gen_prefix[-1].isspace() else ""
