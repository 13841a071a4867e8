"""A check kept in a repository: a YAML file with the keys of the command line."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.names import check_path
from donorgrid.core.records import Metric, Precision
from donorgrid.core.text_files import refuse_devices
from donorgrid.core.yaml_files import Truth, parse_yaml
from donorgrid.pipeline.check.request import TargetSpec
from donorgrid.plan.fields import with_answers_from
from donorgrid.plan.scoring import ChatTemplateArgs, with_enable_thinking

Names = str | list[str]


def _path(value: str) -> str:
    try:
        return check_path(value, what="path")
    except InputError as error:
        raise ValueError(str(error)) from error


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


PathText = Annotated[str, AfterValidator(_path)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetKeys(_Strict):
    """A target written as an object."""

    task: Annotated[str, Field(min_length=1)]
    languages: list[str] = Field(default_factory=list)
    columns: dict[str, str | list[str]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_answers_from(cls, value: Any) -> Any:
        return with_answers_from(value)


Written = str | TargetKeys


class CheckKeys(_Strict):
    """What a check file may say; every key is optional, as the command line may give it."""

    base: PathText | None = None
    adapters: list[PathText] = Field(default_factory=list)
    on: list[Written] | Written = Field(default_factory=list)
    guard: list[Written] | Written = Field(default_factory=list)
    limit: float | None = None
    items: int | None = None
    strengths: Annotated[tuple[float, ...] | None, BeforeValidator(_as_list)] = None
    find_strength: Truth | None = None
    metric: Metric | None = None
    precision: Precision | None = None
    exact_and_fast: Truth | None = None
    chat_template: Truth | None = None
    chat_template_args: ChatTemplateArgs | None = None
    tokenizer: PathText | None = None
    max_new_tokens: int | None = None
    device: str | None = None
    cache: str | None = None
    report: str | None = None
    allow_undecided: Truth = False

    @model_validator(mode="before")
    @classmethod
    def _with_enable_thinking(cls, value: Any) -> Any:
        return with_enable_thinking(value)


def read_check_file(path: Path) -> CheckKeys:
    """The keys of a check file. InputError, one line with file, key and what is allowed, when it cannot be used."""
    refuse_devices(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        content = parse_yaml(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: a check is a mapping with the keys {list(CheckKeys.model_fields)}")
    try:
        return CheckKeys.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem(error)}") from None


def specs(written: list[Written] | Written) -> tuple[TargetSpec, ...]:
    """The targets of one key: a target or a list of targets, each a text or an object."""
    return tuple(_spec(target) for target in (written if isinstance(written, list) else [written]))


def _spec(written: Written) -> TargetSpec:
    if isinstance(written, str):
        return TargetSpec.parse(written)
    parsed = TargetSpec.parse(written.task)
    languages = tuple(written.languages) or parsed.languages
    return TargetSpec(reference=parsed.reference, languages=languages, columns=written.columns)


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"] if not str(part).startswith(("list[", "Target")))
    if problem["type"] == "extra_forbidden":
        name = str(problem["loc"][-1])
        allowed: list[Any] = list((CheckKeys if len(problem["loc"]) == 1 else TargetKeys).model_fields)
        return f"{where}: unknown key; allowed are {allowed}{suggestion(name, allowed)}"
    return f"{where}: {problem['msg']}, found {str(problem['input'])[:60]!r}"
