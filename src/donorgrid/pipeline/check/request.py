"""What a check is asked to do, and its result."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from donorgrid.check import CheckResult, TargetAnswers
from donorgrid.core.errors import InputError
from donorgrid.core.names import check_path
from donorgrid.core.records import STRONGEST, Metric, Precision
from donorgrid.facts.languages import find_language, language_label
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL
from donorgrid.tasks.task_files.plain import Columns

DEFAULT_CACHE = Path("~/.cache/donorgrid/check")
_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")


@dataclass(frozen=True, kw_only=True)
class TargetSpec:
    """A target as it was written.

    Attributes
    ----------
    reference : str
        A task, a preset, or a data file.
    languages : tuple of str
        Its languages; empty for all that it has.
    columns : mapping
        The file's column for each of our names, where they differ.
    """

    reference: str
    languages: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The canonical codes of the languages, each once."""
        return tuple(dict.fromkeys(map(language_label, self.languages)))

    @classmethod
    def parse(cls, written: str) -> "TargetSpec":
        """Read ``NAME``, ``NAME:de,fr`` or a path, which may hold ``*``."""
        check_path(written, what="target")
        reference, colon, languages = written.rpartition(":")
        if colon and reference and f"{reference}:" != LM_EVAL and _are_languages(languages.split(",")):
            return cls(reference=reference, languages=tuple(dict.fromkeys(languages.split(","))))
        return cls(reference=written)


def _are_languages(parts: list[str]) -> bool:
    return all(_CODE.fullmatch(part) or find_language(part) for part in parts)


@dataclass(frozen=True, kw_only=True)
class CheckRequest:
    """What is to be checked, as the command line, a YAML file or a Python caller states it.

    Attributes
    ----------
    base : str
        The base model: a built-in name, a folder, a hub ID, or ID@revision.
    adapters : tuple of str
        Adapters, merged checkpoints or ID@revision.
    on, guard : tuple of TargetSpec
        Targets to gain on, and targets that must not be harmed.
    limit : float
        A change in percentage points from -100 to 0; a guard may lose less than this.
    items : int or None
        At most so many items per target, drawn by a fixed seed, the same IDs in all languages of a task.
    strengths : tuple of float
        Strengths from 0 to 1.5 at which every adapter answers too; empty for none.
    find_strength : bool
        Whether the largest strength is looked for at which every guard is safe.
    metric : {"acc", "acc_norm"}
        The metric, where a task has both.
    precision : {"fp32", "bf16"}
        The precision of the model.
    exact_and_fast : bool
        Whether most items are scored with products in bf16, and those again in float32 whose chosen option that could
        change. The precision is "fp32".
    chat_template : bool
        Whether contexts are read under the chat template.
    chat_template_args : mapping
        Further arguments that the template reads, such as ``enable_thinking``.
    tokenizer : str or None
        A model or a folder (also an adapter's) whose tokenizer and chat template are used in place of the models' own.
    max_new_tokens : int
        The longest reply to a prompt.
    device : str
        "auto", "cpu", or a device of torch.
    cache : Path
        Where item answers are kept.
    folder : Path
        The folder that relative paths are relative to.
    """

    base: str
    adapters: tuple[str, ...]
    on: tuple[TargetSpec, ...] = ()
    guard: tuple[TargetSpec, ...] = ()
    limit: float = -1.0
    items: int | None = None
    strengths: tuple[float, ...] = ()
    find_strength: bool = False
    metric: Metric = "acc_norm"
    precision: Precision = "fp32"
    exact_and_fast: bool = False
    chat_template: bool = False
    chat_template_args: Mapping[str, object] = field(default_factory=dict)
    tokenizer: str | None = None
    max_new_tokens: int = 128
    device: str = "auto"
    cache: Path = DEFAULT_CACHE
    folder: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        if not -100 <= self.limit <= 0:
            raise InputError(
                f"limit {self.limit:g}: expected a change in percentage points from -100 to 0, such as -1.0"
            )
        for name, value in (("items", self.items), ("max_new_tokens", self.max_new_tokens)):
            if value is not None and value < 1:
                raise InputError(f"{name} {value}: expected 1 or more")
        for strength in self.strengths:
            if not 0 <= strength <= STRONGEST:
                raise InputError(f"strengths: {strength:g}: expected a number from 0 to {STRONGEST:g}")
        if self.find_strength and not self.guard:
            raise InputError("find_strength: there is nothing that a strength must keep safe; give --guard")
        if self.exact_and_fast and self.precision != "fp32":
            raise InputError(f"exact_and_fast keeps the choices of fp32, but the precision is '{self.precision}'")
        if self.chat_template_args and not self.chat_template:
            raise InputError("chat_template_args are given, but chat_template is not: no template reads them")
        if not self.adapters:
            raise InputError("nothing to check: name at least one adapter, checkpoint or BASE@revision after the base")
        if not (self.on or self.guard):
            raise InputError("nothing to check on: give --on or --guard a task (belebele:de,hi) or a data file")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The result of a check, with the answers that it judges, for the page."""

    result: CheckResult
    targets: tuple[TargetAnswers, ...]
