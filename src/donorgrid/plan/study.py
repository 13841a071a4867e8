"""Study files: what a user may write, checked by pydantic; shorthands become their full form.

The fields are documented in docs/study-files.md. A bare string is shorthand for its object: a model id, a recipe's
preset, ``task/language`` for a source or target.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from donorgrid.core.errors import InputError
from donorgrid.core.names import check_name
from donorgrid.core.records import ADAPTER_FIELDS, LLAMA_LINEAR, UNTRAINED, Method, Metric, Precision
from donorgrid.plan.presets import recipe_preset


def _no_doubles(values: list[Any]) -> list[Any]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{value!r} stands there twice")
    return values


def _word_or_list(value: Any) -> str:
    return "list" if isinstance(value, list) else "word"


Unique = AfterValidator(_no_doubles)
WordOrList = Discriminator(_word_or_list)
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


class Strict(BaseModel):
    """Unknown keys are errors; values are never guessed into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _object_from(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _name(value: str) -> str:
    try:
        return check_name(value, what="name")
    except InputError as error:
        raise ValueError(str(error)) from error


class ModelSpec(Strict):
    """One base model: a local folder, a hub id, or ``pocket``. ``name`` stands in tables and paths."""

    id: str = Field(min_length=1)
    revision: str | None = None
    name: str = ""
    family: str | None = None
    size_b: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("id"), str) and not value.get("name"):
            return {**value, "name": value["id"].rstrip("/").rpartition("/")[2]}
        return value

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        return _name(value)


class TaskSpec(Strict):
    """A task: a catalog name, a task file, or a data file with ``columns`` where its columns have other names."""

    task: str = Field(min_length=1)
    columns: Annotated[dict[str, str | list[str]], Field(min_length=1)] | None = None

    @model_serializer
    def _short(self) -> str | dict[str, Any]:
        return self.task if self.columns is None else {"task": self.task, "columns": self.columns}


class CellSpec(Strict):
    """A plain cell."""

    task: str
    language: str


class MixSpec(Strict):
    """A weighted mix of cells; weights are relative."""

    mix: Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=2)]
    name: Annotated[str, Field(min_length=1)]

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        return _name(value)


class ControlSpec(Strict):
    """A control on the cell ``of``: trained on its texts with the answers shuffled, or with their content taken away;
    or, untrained, with ``shots`` of its items solved before every item that is answered."""

    control: Literal["shuffled", "content-free", "few-shot"]
    of: str
    shots: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _shots_of_few_shot(self) -> Self:
        if self.control == "few-shot" and self.shots is None:
            raise ValueError("'shots' is missing: how many solved examples stand before an item")
        if self.control != "few-shot" and self.shots is not None:
            raise ValueError(f"'shots' is given, but a {self.control} control shows no examples; only few-shot does")
        return self

    @model_serializer
    def _short(self) -> dict[str, Any]:
        shots = {} if self.shots is None else {"shots": self.shots}
        return {"control": self.control, "of": self.of, **shots}


def _source_object(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    task, slash, language = value.partition("/")
    if not slash:
        raise ValueError(f"'{value}' is not a cell; write 'task/language'")
    return {"task": task, "language": language}


def _source_kind(value: Any) -> str:
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
    return "mix" if "mix" in keys else "control" if "control" in keys else "cell"


CellEntry = Annotated[CellSpec, BeforeValidator(_source_object)]
SourceEntry = Annotated[
    Annotated[CellSpec, Tag("cell")] | Annotated[MixSpec, Tag("mix")] | Annotated[ControlSpec, Tag("control")],
    Discriminator(_source_kind),
    BeforeValidator(_source_object),
]
AllWord = Annotated[Literal["all"], Tag("word")]
KeepWord = Annotated[Literal["all", "none"], Tag("word")]
CellList = Annotated[list[CellEntry], Field(min_length=1), Unique, Tag("list")]
SourceList = Annotated[list[SourceEntry], Field(min_length=1), Unique, Tag("list")]


class RecipeSpec(Strict):
    """A fine-tuning recipe; see ``core.records.Recipe`` for what each field means."""

    method: Method = "lora"
    rank: Annotated[int, Field(ge=1, le=4096)] = 32
    alpha: Annotated[float, Field(gt=0)] = 64.0
    dropout: Share = 0.0
    target_modules: Annotated[
        Annotated[Literal["all-linear"], Tag("word")] | Annotated[list[str], Field(min_length=1), Unique, Tag("list")],
        WordOrList,
    ] = list(LLAMA_LINEAR)
    epochs: Annotated[int, Field(ge=1, le=1000)] = 3
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 8
    learning_rate: Annotated[float, Field(gt=0, le=1.0)] = 5e-5
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_share: Share = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    precision: Precision = "bf16"
    validation_share: Annotated[float, Field(ge=0, le=0.5)] = 0.1

    @model_validator(mode="before")
    @classmethod
    def _full_has_no_adapter(cls, value: Any) -> Any:
        given = [key for key in ADAPTER_FIELDS if key in value] if isinstance(value, dict) else []
        if given and value.get("method") == "full":
            raise ValueError(f"method 'full' trains all weights and has no adapter: leave out {', '.join(given)}")
        return value

    @model_serializer(mode="wrap")
    def _meaningful(self, handler: Any) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {key: one for key, one in fields.items() if self.method != "full" or key not in ADAPTER_FIELDS}


def _recipe_object(value: Any) -> Any:
    """A preset's name, or an object that may start from one (``preset: paper``) and change some fields."""
    if isinstance(value, str):
        return recipe_preset(value)
    if isinstance(value, dict) and "preset" in value:
        changes = {key: one for key, one in value.items() if key != "preset"}
        dropped = ADAPTER_FIELDS if changes.get("method") == "full" else ()
        start = {key: one for key, one in recipe_preset(value["preset"]).items() if key not in dropped}
        return {**start, **changes}
    return value


class Limits(Strict):
    """At most so many training and test items per cell; null means all. The first items in the task's order count."""

    train_items: Annotated[int, Field(ge=2)] | None = None
    test_items: Annotated[int, Field(ge=1)] | None = None


class Scoring(Strict):
    """How options are scored."""

    precision: Precision = "fp32"
    chat_template: bool = False


class Study(Strict):
    """A study, as written or as resolved (then every default is filled in)."""

    models: Annotated[list[Annotated[ModelSpec, _object_from("id")]], Field(min_length=1), Unique]
    tasks: Annotated[list[Annotated[TaskSpec, _object_from("task")]], Field(min_length=1), Unique]
    languages: Annotated[list[Annotated[str, AfterValidator(_name)]], Field(min_length=1), Unique]
    sources: Annotated[AllWord | SourceList, WordOrList] = "all"
    targets: Annotated[AllWord | CellList, WordOrList] = "all"
    recipes: Annotated[
        dict[Annotated[str, AfterValidator(_name)], Annotated[RecipeSpec, BeforeValidator(_recipe_object)]],
        Field(min_length=1),
    ] = {"paper": RecipeSpec()}
    train_seeds: Annotated[list[Seed], Field(min_length=1), Unique] = [17, 42, 101]
    data_seeds: Annotated[list[Seed], Field(min_length=1), Unique] = [0]
    train_sizes: Annotated[list[Annotated[int, Field(ge=2)] | None], Field(min_length=1), Unique] = [None]
    checkpoints: Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Unique] = []
    split_seed: Seed = 42
    metric: Metric = "acc_norm"
    harm_limit_pp: Annotated[float, Field(gt=0, le=100)] = 1.0
    limits: Limits = Limits()
    scoring: Scoring = Scoring()
    keep_adapters: Annotated[KeepWord | CellList, WordOrList] = "all"

    @model_validator(mode="after")
    def _distinct_model_names(self) -> Self:
        names = [model.name for model in self.models]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two models are called '{name}'; give one of them another 'name'")
        return self

    @model_validator(mode="after")
    def _recipe_is_trained(self) -> Self:
        if UNTRAINED in self.recipes:
            raise ValueError(f"recipes: the name '{UNTRAINED}' is kept for what is not trained; give another one")
        return self

    @model_validator(mode="after")
    def _checkpoints_are_reached(self) -> Self:
        for index, epochs in enumerate(self.checkpoints):
            for name, recipe in self.recipes.items():
                if epochs > recipe.epochs:
                    raise ValueError(
                        f"checkpoints[{index}]: {epochs:g} epochs, but recipe '{name}' ends after {recipe.epochs}"
                    )
        return self

    @model_validator(mode="after")
    def _data_seeds_matter(self) -> Self:
        if len(self.data_seeds) > 1 and None in self.train_sizes:
            raise ValueError("'data_seeds' draws items only where 'train_sizes' leaves some out; give 'train_sizes'")
        return self
