"""The keys of a task file that are read: those of lm-eval, with its defaults, and those that donorgrid adds."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from donorgrid.core.records import METRICS, Metric
from donorgrid.facts.languages import language_label
from donorgrid.tasks.task_files.key_blocks import (
    ChoiceSpec,
    DatasetOptions,
    ExactMatch,
    FewShotKeys,
    FilterEntry,
    GenerationOptions,
    HoldOutKeys,
    Keys,
    MetricEntry,
    Texts,
    TrainKeys,
    as_tuple,
)

EXTRA_NAME = "donorgrid[lm-eval]"
EXACT_MATCH = "exact_match"


class SharedKeys(Keys):
    """The keys of every type of task, with lm-eval's defaults."""

    task: Annotated[str, Field(min_length=1)]
    dataset_path: Annotated[str, Field(min_length=1)]
    dataset_name: str | None = None
    dataset_kwargs: DatasetOptions = DatasetOptions()
    training_split: str | None = None
    validation_split: str | None = None
    test_split: str | None = None
    doc_to_text: str
    doc_to_target: str | int
    description: str = ""
    target_delimiter: str = " "
    fewshot_delimiter: str = "\n\n"
    fewshot_split: str | None = None
    fewshot_config: FewShotKeys = FewShotKeys()
    num_fewshot: Annotated[int, Field(ge=0)] = 0
    gen_prefix: str | None = None
    metric_list: Annotated[tuple[MetricEntry, ...], BeforeValidator(as_tuple)] | None = None
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
        if self.hold_out and self.training_split:
            raise ValueError("hold_out: training_split is given too; only one of them is allowed")
        for key in ("language_names", "words"):
            known = set(map(language_label, self.languages))
            others = [name for name in getattr(self, key) if language_label(name) not in known]
            if others and self.languages:
                raise ValueError(f"{key}: '{min(others)}' is none of the languages {', '.join(self.languages)}")
        return self

    @property
    def evaluation_split(self) -> str:
        """The split that is scored: ``test_split``, else ``validation_split``, as in lm-eval."""
        return self.test_split or self.validation_split or ""


class ChoiceKeys(SharedKeys):
    """The keys of a multiple-choice task file."""

    output_type: Literal["multiple_choice"]
    doc_to_choice: ChoiceSpec

    @model_validator(mode="after")
    def _has_metric(self) -> Self:
        if self.metric_list is not None and not self.metrics:
            named = ", ".join(entry.metric for entry in self.metric_list)
            raise ValueError(f"metric_list: found {named or 'nothing'}; at least one of acc, acc_norm is needed")
        return self

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that are computed, ``acc`` first; both if the file names none, as in lm-eval."""
        named = METRICS if self.metric_list is None else tuple(entry.metric for entry in self.metric_list)
        return tuple(metric for metric in METRICS if metric in named)

    @property
    def metrics_not_read(self) -> tuple[str, ...]:
        """Metrics of the file that donorgrid does not compute."""
        return tuple(entry.metric for entry in self.metric_list or () if entry.metric not in METRICS)


class GenerationKeys(SharedKeys):
    """The keys of a ``generate_until`` task file. ``answer_filter`` names the filter whose answer counts."""

    output_type: Literal["generate_until"]
    generation_kwargs: GenerationOptions = GenerationOptions()
    filter_list: Annotated[tuple[FilterEntry, ...], BeforeValidator(as_tuple)] = ()
    answer_filter: str | None = None

    @model_validator(mode="after")
    def _has_one_answer(self) -> Self:
        names = [entry.name for entry in self.filter_list]
        if self.answer_filter is None and len(names) > 1:
            raise ValueError(f"answer_filter: missing; say which filter's answer counts: {', '.join(names)}")
        if self.answer_filter is not None and self.answer_filter not in names:
            raise ValueError(f"answer_filter: '{self.answer_filter}' is no filter of filter_list: {', '.join(names)}")
        if self.metric_list is not None and EXACT_MATCH not in {entry.metric for entry in self.metric_list}:
            raise ValueError("metric_list: exact_match is needed for generate_until")
        try:
            _ = self.exact_match
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ValueError(f"metric_list: exact_match: '{first['loc'][0]}': {first['msg']}") from error
        return self

    @property
    def exact_match(self) -> ExactMatch:
        """How a generated answer is compared with an accepted one."""
        options = (entry.model_extra for entry in self.metric_list or () if entry.metric == EXACT_MATCH)
        return ExactMatch.model_validate(next(options, None) or {})

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Always ``acc``, which is the share of exact matches for these tasks."""
        return ("acc",)

    @property
    def metrics_not_read(self) -> tuple[str, ...]:
        """Metrics of the file that donorgrid does not compute."""
        return tuple(entry.metric for entry in self.metric_list or () if entry.metric != EXACT_MATCH)


TaskKeys = ChoiceKeys | GenerationKeys
