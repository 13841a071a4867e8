"""How a question, its examples and its description become the context that a model reads, as lm-eval joins them."""

from dataclasses import dataclass

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One solved example of a few-shot prompt."""

    question: str
    answer: str
    gen_prefix: str | None
    target_delimiter: str
    fewshot_delimiter: str

    def __str__(self) -> str:
        if not self.gen_prefix:
            return self.question + self.target_delimiter + self.answer + self.fewshot_delimiter
        opened = spaced(self.question, self.gen_prefix, self.target_delimiter)
        return spaced(opened, self.answer, " ", start=self.gen_prefix) + self.fewshot_delimiter


def spaced(before: str, after: str, delimiter: str, *, start: str | None = None) -> str:
    """Both texts joined; the delimiter goes between them unless one is empty or whitespace stands there already.

    ``start`` is the part of ``before`` whose end decides, where that is not all of it.
    """
    edge = before if start is None else start
    touching = not edge or not after or edge[-1].isspace() or after[0].isspace()
    return before + after if touching else before + delimiter + after


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """The parts of one context."""

    question: str
    description: str = ""
    shots: tuple[Shot, ...] = ()
    gen_prefix: str | None = None
    target_delimiter: str = " "

    @property
    def _user(self) -> str:
        return "".join(map(str, self.shots)) + self.question

    @property
    def context(self) -> str:
        """The plain text, without a chat template."""
        if not self.gen_prefix:
            return self.description + self._user
        return (
            self.description
            + "".join(map(str, self.shots))
            + spaced(self.question, self.gen_prefix, self.target_delimiter)
        )

    @property
    def messages(self) -> Messages:
        """The messages for a chat template; empty where one user message with the context says it all."""
        if not self.description and not self.gen_prefix:
            return ()
        system = (("system", self.description),) if self.description else ()
        opened = (("assistant", self.gen_prefix),) if self.gen_prefix else ()
        return (*system, ("user", self._user), *opened)


def chat_delimiter(gen_prefix: str | None, target_delimiter: str) -> str:
    """Under a chat template an option follows at once, unless an opened answer ends without whitespace."""
    return target_delimiter if gen_prefix and not gen_prefix[-1].isspace() else ""
