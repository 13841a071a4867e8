"""What a study file may say of a recipe: a preset's name, fields, or fields on top of a preset."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, Tag, model_serializer, model_validator

from donorgrid.core.records import ADAPTER_FIELDS, LLAMA_LINEAR, Method, Precision
from donorgrid.plan.fields import STRICT, Share, Unique, WordOrList
from donorgrid.plan.presets import recipe_preset


class RecipeSpec(BaseModel):
    """A fine-tuning recipe; see ``core.records.Recipe`` for what each field means."""

    model_config = STRICT

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
    tokenise: Literal["joint", "apart"] = "joint"
    append_eos: bool | None = None
    l2_sp: Annotated[float, Field(ge=0, le=1e6)] = 0.0

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
        return {key: value for key, value in fields.items() if self.method != "full" or key not in ADAPTER_FIELDS}


def recipe_object(value: Any) -> Any:
    """Returns the fields of a preset named alone, or of an object that starts from one (``preset: paper``)."""
    if isinstance(value, str):
        return recipe_preset(value)
    if isinstance(value, dict) and "preset" in value:
        changes = {key: field for key, field in value.items() if key != "preset"}
        dropped = ADAPTER_FIELDS if changes.get("method") == "full" else ()
        start = {key: field for key, field in recipe_preset(value["preset"]).items() if key not in dropped}
        return {**start, **changes}
    return value
