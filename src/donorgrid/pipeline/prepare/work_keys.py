"""The work plan of a study: for each subject the keys of what its results depend on.

A work key is the SHA-256 of what goes into the work. Paths, batch sizes and the machine do not count. Answers of an
earlier version of the study have other keys than those of this one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from donorgrid.core.digests import digest_of
from donorgrid.core.names import subject_name
from donorgrid.core.records import Cell, Example, Precision, Prompted, Run, SharedItems, Subject, Weights
from donorgrid.facts.languages import language_label
from donorgrid.facts.models import ModelFacts, model_facts
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.text_encoding import template_key
from donorgrid.plan.grid import Grid
from donorgrid.plan.study import ModelSpec, Study
from donorgrid.tasks import TaskFile, generation_rules, one_class_reasons

SEMANTICS = 1
"""Raised whenever the engine would give another result for the same input."""

_BF16_SEMANTICS = 2
"""Raised whenever the engine would give another result in bf16. 2: on a CPU by the hand-written path."""

FORMAT = 2
"""The form of a study's folder. 1: item answers without checksums, a plan without its own digest."""

MERGED, UNMERGED = "merged", "unmerged"
"""How an adapter is active when the base answers: in its weights, or beside them (where those are kept in 4 bit)."""


@dataclass(frozen=True, kw_only=True)
class WorkPlan:
    """A study with the keys of its work.

    Attributes
    ----------
    study, grid
        The study and its grid.
    languages_of : mapping of str to tuple of str
        The languages of each task.
    facts : mapping of str to ModelFacts
        Family and size of each model.
    conditions : mapping of str to mapping of str to str
        By model and ``task/language``: the key of what an answer depends on besides the adapter.
    training_keys : mapping of str to str
        By the name on disk of a run at whole strength: the key of what its training depends on.
    example_keys : mapping of str to str
        By the name of a few-shot subject: the key of the examples that it reads before every item.
    one_class : mapping of str to str
        By ``task/language``: what to say of a target whose gold answers are nearly all of one class.
    shared_items : tuple of SharedItems
        The pairs of a source and a target whose training texts occur among the test items.
    """

    study: Study
    grid: Grid
    languages_of: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, ModelFacts]
    conditions: Mapping[str, Mapping[str, str]]
    training_keys: Mapping[str, str]
    example_keys: Mapping[str, str]
    one_class: Mapping[str, str] = field(default_factory=dict)
    shared_items: tuple[SharedItems, ...] = ()

    def training_key(self, subject: Subject) -> str | None:
        """The key of a run's training; None for a subject that is not trained."""
        return self.training_keys[subject_name(subject.as_trained)] if isinstance(subject, Run) else None

    def examples_key(self, subject: Subject) -> str | None:
        """The key of the solved examples that a few-shot subject reads; None for other subjects."""
        return self.example_keys[subject_name(subject)] if isinstance(subject, Prompted) else None

    def scoring_key(self, subject: Subject, target: Cell, adapter_digest: str | None) -> str:
        """The key of one subject's answers on one target.

        Parameters
        ----------
        subject : Subject
            Who answers.
        target : Cell
            What is answered.
        adapter_digest : str or None
            The digest of the subject's adapter, where it has one.
        """
        examples = self.examples_key(subject)
        return digest_of(
            [
                self.conditions[subject.model][str(target)],
                adapter_digest,
                *([] if examples is None else [examples]),
                *_strength_part(subject),
            ]
        )

    def failure_key(self, subject: Subject) -> str:
        """The key under which a failure of a subject is recorded."""
        key = self.training_key(subject) or self.examples_key(subject)
        return digest_of([key, dict(self.conditions[subject.model]), *_strength_part(subject)])[:32]

    def claim_key(self, subject: Subject) -> str:
        """The key that a process claims before it works on a subject. Checkpoints and strengths share their run's."""
        return self.failure_key(subject.course if isinstance(subject, Run) else subject)

    def keeps(self, run: Run) -> bool:
        """True if the study keeps the adapter of this run: with a list of cells, a run whose every cell is listed."""
        keep = self.study.keep_adapters
        if isinstance(keep, str):
            return keep == "all"
        return set(run.source.cells) <= {Cell(task=spec.task, language=language_label(spec.language)) for spec in keep}


def make_workplan(prepared: Prepared) -> WorkPlan:
    """The work plan of a prepared study."""
    study, grid = prepared.study, prepared.grid
    texts = {cell: digest_of([asdict(text) for text in prepared.cells[cell].train]) for cell in grid.source_cells}
    models = {spec.name: _model_part(spec, prepared.models[spec.name]) for spec in study.models}
    targets = {str(cell): _target_part(prepared, cell) for cell in grid.targets}
    return WorkPlan(
        study=study,
        grid=grid,
        languages_of={name: task.languages for name, task in prepared.tasks.items()},
        facts={spec.name: _facts(spec, prepared.models[spec.name]) for spec in study.models},
        conditions={
            spec.name: {
                cell: digest_of({**models[spec.name], **target, "merge": merge_mode(spec.weights)})
                for cell, target in targets.items()
            }
            for spec in study.models
        },
        training_keys={
            subject_name(run): _training_key(run, prepared, models[run.model], texts)
            for run in dict.fromkeys(run.as_trained for run in grid.runs)
        },
        example_keys={subject_name(subject): _examples_key(shown) for subject, shown in prepared.examples.items()},
        one_class=_one_class(prepared),
        shared_items=prepared.shared_items,
    )


def _strength_part(subject: Subject) -> list[dict[str, float]]:
    """What a strength adds to a key; nothing where the adapter is as it was trained."""
    strength = subject.strength if isinstance(subject, Run) else None
    return [] if strength is None else [{"strength": strength}]


def precision_key(precision: Precision) -> dict[str, object]:
    """What a key says of a precision beside its name: how the engine computes in bf16; nothing of float32."""
    return {"bf16_semantics": _BF16_SEMANTICS} if precision == "bf16" else {}


def merge_mode(weights: Weights) -> str:
    """``MERGED`` or ``UNMERGED``, by how a model's weights are kept."""
    return MERGED if weights == "own" else UNMERGED


def _facts(spec: ModelSpec, folder: ModelFolder) -> ModelFacts:
    known = model_facts(spec.id, n_parameters=folder.n_parameters, model_type=folder.model_type)
    return ModelFacts(family=spec.family or known.family, size_b=spec.size_b or known.size_b)


def _model_part(spec: ModelSpec, folder: ModelFolder) -> dict[str, object]:
    weights = {} if spec.weights == "own" else {"weights": spec.weights}
    return {"base": folder.weights_digest, "tokenizer": folder.tokenizer_digest, "semantics": SEMANTICS, **weights}


def _target_part(prepared: Prepared, target: Cell) -> dict[str, object]:
    task, scoring = prepared.tasks[target.task], prepared.study.scoring
    return {
        "items": digest_of([asdict(item) for item in prepared.cells[target].test]),
        "metrics": task.metrics,
        **_generation(task, target.language),
        "precision": scoring.precision,
        **precision_key(scoring.precision),
        **({"exact_and_fast": True} if scoring.exact_and_fast else {}),
        "chat_template": scoring.chat_template,
        **({"chat_template_args": dict(scoring.chat_template_args)} if scoring.chat_template_args else {}),
    }


def _one_class(prepared: Prepared) -> dict[str, str]:
    reasons = {str(cell): one_class_reasons(prepared.cells[cell]) for cell in prepared.grid.targets}
    return {cell: by_split["test"] for cell, by_split in reasons.items() if "test" in by_split}


def _generation(task: TaskFile, language: str) -> dict[str, object]:
    return {"generation": generation_rules(task, language).as_plain()} if task.generates else {}


def _examples_key(examples: Sequence[Example]) -> str:
    return digest_of({"examples": [example.text for example in examples]})


def _training_key(run: Run, prepared: Prepared, model: Mapping[str, object], text_digests: Mapping[Cell, str]) -> str:
    ways = {text.tokenise: text for cell in run.source.cells for text in prepared.cells[cell].train}
    return digest_of(
        {
            **model,
            "recipe": run.recipe.hyperparameters,
            **precision_key(run.recipe.precision),
            "control": run.source.control,
            "parts": [[text_digests[cell], weight] for cell, weight in run.source.parts],
            "train_seed": run.train_seed,
            "data_seed": run.data_seed,
            "train_size": run.train_size,
            "split_seed": prepared.study.split_seed,
            **template_key(prepared.study, run.recipe, ways.values()),
            **({} if run.checkpoint is None else {"checkpoint": run.checkpoint}),
            **({"draw": "stratified"} if run.train_size is not None or len(run.source.parts) > 1 else {}),
        }
    )
