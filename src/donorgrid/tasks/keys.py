"""The keys of a task file: lm-eval's that are read, those added here, and those that need the ``lm-eval`` extra."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Metric
from donorgrid.tasks.yaml_files import PythonFunction

EXTRA_NAME = "donorgrid[lm-eval]"
EXTRA = f"a task of lm-eval itself runs by name as 'lm_eval:NAME' with the extra {EXTRA_NAME}"
METRICS: tuple[Metric, ...] = ("acc", "acc_norm")

WITHOUT_EFFECT = frozenset(
    {"task_alias", "tag", "should_decontaminate", "doc_to_decontamination_query", "repeats", "generation_kwargs"}
)
"""Keys of lm-eval that change nothing in the requests of a multiple-choice task."""

NOT_READ = frozenset(
    {
        "custom_dataset",
        "doc_to_audio",
        "doc_to_image",
        "filter_list",
        "group",
        "process_docs",
        "process_results",
        "task_list",
        "unsafe_code",
        "use_prompt",
    }
)
"""Keys of lm-eval that would change the requests and are not read natively."""


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _choices(value: Any) -> Any:
    return tuple(value.values()) if isinstance(value, dict) else _as_tuple(value)


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
ChoiceSpec = Annotated[str | tuple[str, ...], BeforeValidator(_choices)]
Files = Annotated[str | tuple[str, ...], BeforeValidator(_as_tuple)]


class MetricEntry(_Keys):
    """One entry of ``metric_list``."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    metric: str
    aggregation: Literal["mean"] = "mean"
    higher_is_better: Literal[True] = True


class DatasetOptions(_Keys):
    """``dataset_kwargs``: which files, and how they are read."""

    data_files: str | Texts | dict[str, Files] = ""
    revision: str | None = None
    delimiter: str | None = None
    sep: str | None = None
    quoting: Literal[0, 3] = 0
    field: str | None = None
    trust_remote_code: Literal[False] = False


class FewShotKeys(_Keys):
    """``fewshot_config``: where the examples come from, and how they are written where it differs."""

    sampler: Literal["default", "first_n"] = "default"
    split: str | None = None
    samples: Annotated[tuple[dict[str, Any], ...], BeforeValidator(_as_tuple)] | None = None
    doc_to_text: str | None = None
    doc_to_choice: ChoiceSpec | None = None
    doc_to_target: str | int | None = None
    gen_prefix: str | None = None
    fewshot_delimiter: str | None = None
    target_delimiter: str | None = None


class TrainKeys(_Keys):
    """The added block ``train``: how a document becomes a training text, and where its loss lies.

    ``prompt`` and ``target`` are columns or templates. The target may use ``gold`` (the right choice's number),
    ``letter`` (A, B, ...) and ``choice`` (its text): a shuffled control then knows what another answer would read.
    """

    prompt: str
    target: str
    tokenise: Literal["apart", "whole"] = "apart"
    loss_on: Literal["target", "all"] = "target"
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    keep: Literal["end", "start"] = "end"


class HoldOutKeys(_Keys):
    """The added block ``hold_out``: a share of the test documents becomes the training split.

    Documents of one ``cluster_column`` value stay together, and the draw depends on their IDs and the seed alone, so it
    is the same in every language.
    """

    train_share: Annotated[float, Field(gt=0, lt=1)]
    seed: int = 42


class TaskKeys(_Keys):
    """All keys of a multiple-choice task file that are read; the defaults are lm-eval's."""

    task: Annotated[str, Field(min_length=1)]
    output_type: Literal["multiple_choice"]
    dataset_path: Annotated[str, Field(min_length=1)]
    dataset_name: str | None = None
    dataset_kwargs: DatasetOptions = DatasetOptions()
    training_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    doc_to_text: str
    doc_to_choice: ChoiceSpec
    doc_to_target: str | int
    description: str = ""
    target_delimiter: str = " "
    fewshot_delimiter: str = "\n\n"
    fewshot_split: str | None = None
    fewshot_config: FewShotKeys = FewShotKeys()
    num_fewshot: Annotated[int, Field(ge=0)] = 0
    gen_prefix: str | None = None
    metric_list: Annotated[tuple[MetricEntry, ...], BeforeValidator(_as_tuple)] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    languages: Texts = ()
    language_names: dict[str, str] = Field(default_factory=dict)
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    from_lm_eval: dict[str, str] = Field(default_factory=dict)
    id_column: str | None = None
    cluster_column: str | None = None
    train: TrainKeys | None = None
    hold_out: HoldOutKeys | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.test_split or self.validation_split):
            raise ValueError("test_split: missing; a task needs test_split or validation_split")
        if self.metric_list is not None and not self.metrics:
            named = ", ".join(entry.metric for entry in self.metric_list)
            raise ValueError(f"metric_list: found {named or 'nothing'}; at least one of acc, acc_norm is needed")
        if self.hold_out and self.training_split:
            raise ValueError("hold_out: training_split is given too; only one of them is allowed")
        for key in ("language_names", "words"):
            further = set(getattr(self, key)) - set(self.languages)
            if further and self.languages:
                raise ValueError(f"{key}: '{min(further)}' is none of the languages {', '.join(self.languages)}")
        return self

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are computed, ``acc`` first; both where the file names none, as in lm-eval."""
        named = METRICS if self.metric_list is None else tuple(entry.metric for entry in self.metric_list)
        return tuple(metric for metric in METRICS if metric in named)

    @property
    def metrics_not_read(self) -> tuple[str, ...]:
        """Metrics of the file that donorgrid does not compute."""
        return tuple(entry.metric for entry in self.metric_list or () if entry.metric not in METRICS)

    @property
    def evaluation_split(self) -> str:
        """The split that is scored: ``test_split``, else ``validation_split``, as in lm-eval."""
        return self.test_split or self.validation_split or ""


def parse_keys(content: dict[str, Any], *, where: str) -> TaskKeys:
    """The checked keys of a task file; InputError names the file, the key and what is allowed."""
    kept = {key: value for key, value in content.items() if key not in WITHOUT_EFFECT}
    for key, value in kept.items():
        _refuse_unread(key, value, where=where)
    if "output_type" not in kept:
        raise InputError(f"{where}: key 'output_type' is missing; allowed: multiple_choice")
    without_nulls = {key: value for key, value in kept.items() if value is not None}
    try:
        return TaskKeys.model_validate(without_nulls)
    except ValidationError as error:
        raise InputError(f"{where}: {_first_problem(error)}") from error


def _refuse_unread(key: str, value: Any, *, where: str) -> None:
    function = _function_in(value)
    if function:
        raise InputError(f"{where}: key '{key}' is Python code ({function}), which is not read; {EXTRA}")
    if key in NOT_READ and value not in (None, False):
        raise InputError(f"{where}: key '{key}' is not read; {EXTRA}")
    if key not in NOT_READ and key not in TaskKeys.model_fields:
        allowed = ", ".join(TaskKeys.model_fields)
        raise InputError(f"{where}: unknown key '{key}'{suggestion(key, TaskKeys.model_fields)}; allowed: {allowed}")
    if key == "output_type" and value != "multiple_choice":
        raise InputError(f"{where}: output_type is '{value}'; allowed: multiple_choice; {EXTRA}")


def _function_in(value: Any) -> PythonFunction | None:
    if isinstance(value, PythonFunction):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for one in inner if (found := _function_in(one))), None)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("tuple[", "function-", "dict[")))
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'"
    found = repr(first["input"])
    return f"key '{key}' is {found if len(found) <= 60 else found[:57] + '...'}: {message}"


def safe_relative(name: str) -> bool:
    """Whether a path stays beneath its folder."""
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
