"""The blocks of keys in a task file: metrics, data, few-shot examples, training, held-out part, generation."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from donorgrid.core.records import TokeniseWay


class Keys(BaseModel):
    """A checked block: an unknown key is an error, and values are never converted to another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def as_tuple(value: Any) -> Any:
    """Returns a list as a tuple, which frozen records hold; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value


def _choices(value: Any) -> Any:
    return tuple(value.values()) if isinstance(value, dict) else as_tuple(value)


Texts = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]
ChoiceSpec = Annotated[str | tuple[str, ...], BeforeValidator(_choices)]
Files = Annotated[str | tuple[str, ...], BeforeValidator(as_tuple)]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class MetricEntry(Keys):
    """One entry of ``metric_list``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    metric: str
    aggregation: Literal["mean"] = "mean"
    higher_is_better: Literal[True] = True


class DatasetOptions(Keys):
    """``dataset_kwargs``: which files, and how they are read."""

    data_files: str | Texts | dict[str, Files] = ""
    revision: str | None = None
    delimiter: str | None = None
    sep: str | None = None
    quoting: Literal[0, 3] = 0
    field: str | None = None
    data_dir: str | None = None
    trust_remote_code: bool = False


class FewShotKeys(Keys):
    """``fewshot_config``: where the examples come from, and how they are written if not as the question is."""

    sampler: Literal["default", "first_n"] = "default"
    split: str | None = None
    samples: Annotated[tuple[dict[str, Any], ...], BeforeValidator(as_tuple)] | None = None
    doc_to_text: str | None = None
    doc_to_choice: ChoiceSpec | None = None
    doc_to_target: str | int | None = None
    gen_prefix: str | None = None
    fewshot_delimiter: str | None = None
    target_delimiter: str | None = None


class TrainKeys(Keys):
    """The added block ``train``: how a document becomes a training text, and where its loss lies.

    ``prompt`` and ``target`` are columns or templates. The target may use ``gold`` (the right choice's number),
    ``letter`` (A, B, ...) and ``choice`` (its text): a shuffled control then knows the target of another answer.
    Without ``tokenise`` the recipe says how a text becomes tokens. ``max_tokens_apart`` is the limit of texts that are
    tokenised apart.
    """

    prompt: str
    target: str
    tokenise: TokeniseWay | None = None
    loss_on: Literal["target", "all"] = "target"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens_apart: Annotated[int, Field(ge=1)] | None = None
    keep: Literal["end", "start"] = "end"


class HoldOutKeys(Keys):
    """The added block ``hold_out``: a share of the test documents becomes the training split.

    Documents with the same value of ``cluster_column`` stay together. The draw depends only on their IDs and the seed,
    so it is the same in every language.
    """

    train_share: Annotated[float, Field(gt=0, lt=1)]
    seed: int = 42


class GenerationOptions(Keys):
    """``generation_kwargs``: when a greedy generation ends. Templates in ``until`` may use ``words``.

    Without ``until`` it ends at the few-shot delimiter, as in lm-eval.
    """

    until: Annotated[Texts, BeforeValidator(_listed)] | None = None
    max_gen_toks: Annotated[int, Field(ge=1)] = 256
    do_sample: Literal[False] = False
    temperature: Annotated[float, Field(ge=0, le=0)] = 0.0


class FilterStep(Keys):
    """One step of a filter, by lm-eval's name. ``group_select`` is the index among the matches of a regex."""

    function: Literal["regex", "remove_whitespace", "lowercase", "uppercase", "take_first"]
    regex_pattern: str = r"#### (\-?[0-9\.\,]+)"
    group_select: int = 0
    fallback: str = "[invalid]"


class FilterEntry(Keys):
    """One entry of ``filter_list``: how an answer is extracted from a generated text."""

    name: str
    filter: Annotated[tuple[FilterStep, ...], BeforeValidator(as_tuple)]


class ExactMatch(Keys):
    """The options of the metric ``exact_match``, with lm-eval's meaning and defaults."""

    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_numbers: bool = False
    regexes_to_ignore: Texts = ()
