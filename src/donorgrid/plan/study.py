"""Study files: what a user may write, checked by pydantic; shorthands become their full form.

The fields are documented in docs/study-files.md. A bare string is shorthand for its object: a model id, a recipe's
preset, ``task/language`` for a source or target.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from donorgrid.core.errors import InputError
from donorgrid.core.records import STRONGEST, UNTRAINED, Metric, Weights
from donorgrid.facts.languages import language_label, one_language_each
from donorgrid.plan.fields import STRICT, Seed, Unique, WordOrList, valid_name, valid_path, with_answers_from
from donorgrid.plan.recipes import RecipeSpec, recipe_object
from donorgrid.plan.scoring import Scoring
from donorgrid.statistics.item_draws import DRAW_SEED


class Strict(BaseModel):
    """A part of a study file."""

    model_config = STRICT


def _object_from(key: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class ModelSpec(Strict):
    """One base model: a local folder, a hub id, or ``pocket``. ``name`` is used in tables and paths.

    ``weights``: the model's own, or kept in 4 bit (bitsandbytes, on a GPU). ``tokenizer``: a folder, an ID or an
    ID@revision whose tokenizer and chat template are used in place of the model's own.
    """

    id: Annotated[str, Field(min_length=1), AfterValidator(valid_path)]
    revision: str | None = None
    name: str = ""
    family: str | None = None
    size_b: Annotated[float, Field(gt=0)] | None = None
    weights: Weights = "own"
    tokenizer: Annotated[str, Field(min_length=1), AfterValidator(valid_path)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("id"), str) and not value.get("name"):
            return {**value, "name": value["id"].rstrip("/").rpartition("/")[2]}
        return value

    @field_validator("name")
    @classmethod
    def _sound_name(cls, value: str) -> str:
        return valid_name(value)


class TaskSpec(Strict):
    """A task: a catalog name, a task file, or a data file with ``columns`` where its columns have other names.

    ``answers_from`` says how the answers of a data file name the right choice; it stands among ``columns``, too.
    """

    task: Annotated[str, Field(min_length=1), AfterValidator(valid_path)]
    columns: Annotated[dict[str, str | list[str]], Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_answers_from(cls, value: Any) -> Any:
        return with_answers_from(value)

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
        return valid_name(value)


class ControlSpec(Strict):
    """A control on the cell ``of``: trained on its texts with answers shuffled or content removed, or untrained, with
    ``shots`` of its items as few-shot examples of every item."""

    control: Literal["shuffled", "content-free", "few-shot"]
    of: str
    shots: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _shots_of_few_shot(self) -> Self:
        if self.control == "few-shot" and self.shots is None:
            raise ValueError("'shots' is missing: how many solved examples each item has")
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


Strength = Annotated[float, Field(ge=0, le=STRONGEST), AfterValidator(abs)]  # -0.0 is 0


class Limits(Strict):
    """At most so many training and test items per cell; null means all.

    ``draw_seed`` draws them: the same IDs in all languages of a task, gold answers in proportion to the whole file.
    """

    train_items: Annotated[int, Field(ge=2)] | None = None
    test_items: Annotated[int, Field(ge=1)] | None = None
    draw_seed: Seed = DRAW_SEED


class Study(Strict):
    """A study, as written or as resolved (then every default is filled in)."""

    models: Annotated[list[Annotated[ModelSpec, _object_from("id")]], Field(min_length=1), Unique]
    tasks: Annotated[list[Annotated[TaskSpec, _object_from("task")]], Field(min_length=1), Unique]
    languages: Annotated[list[Annotated[str, AfterValidator(valid_name)]], Field(min_length=1), Unique]
    sources: Annotated[AllWord | SourceList, WordOrList] = "all"
    targets: Annotated[AllWord | CellList, WordOrList] = "all"
    recipes: Annotated[
        dict[Annotated[str, AfterValidator(valid_name)], Annotated[RecipeSpec, BeforeValidator(recipe_object)]],
        Field(min_length=1),
    ] = {"lora": RecipeSpec()}
    train_seeds: Annotated[list[Seed], Field(min_length=1), Unique] = [17, 42, 101]
    data_seeds: Annotated[list[Seed], Field(min_length=1), Unique] = [0]
    train_sizes: Annotated[list[Annotated[int, Field(ge=2)] | None], Field(min_length=1), Unique] = [None]
    checkpoints: Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Unique] = []
    strengths: Annotated[list[Strength], Unique] = []
    split_seed: Seed = 42
    metric: Metric = "acc_norm"
    harm_limit_pp: Annotated[float, Field(gt=0, le=100)] = 1.0
    limits: Limits = Limits()
    scoring: Scoring = Scoring()
    keep_adapters: Annotated[KeepWord | CellList, WordOrList] = "all"

    def model(self, name: str) -> ModelSpec:
        """Returns the model of this name."""
        return next(model for model in self.models if model.name == name)

    @property
    def language_codes(self) -> tuple[str, ...]:
        """The canonical codes of the languages; ``languages`` keeps the spelling of the file, for paths and names."""
        return tuple(map(language_label, self.languages))

    @model_validator(mode="after")
    def _distinct_languages(self) -> Self:
        try:
            one_language_each(self.languages, where="languages")
        except InputError as error:
            raise ValueError(str(error)) from error
        return self

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
                    where = f"checkpoints[{index}]: {epochs:g} epochs"
                    raise ValueError(f"{where}, but recipe '{name}' ends after {recipe.epochs}")
        return self

    @model_validator(mode="after")
    def _four_bits_are_not_trained(self) -> Self:
        small = [model.name for model in self.models if model.weights != "own"]
        whole = [name for name, recipe in self.recipes.items() if recipe.method == "full"]
        if small and whole:
            conflict = f"recipe '{whole[0]}' trains all weights, and those of model '{small[0]}' are kept in 4 bit"
            raise ValueError(f"{conflict}; give one of them a study of its own")
        return self

    @model_validator(mode="after")
    def _data_seeds_matter(self) -> Self:
        if len(self.data_seeds) > 1 and None in self.train_sizes:
            raise ValueError("'data_seeds' draws items only where 'train_sizes' leaves some out; give 'train_sizes'")
        return self
