"""The work plan of a study: for each subject what it must be the result of. Pure data, kept in the study folder.

With ``plan.json`` in the folder, progress and analysis need neither the models nor the data sets, and answers that
belong to an earlier version of the study are told from those that belong to this one.

A work key is the SHA-256 of what goes into the work. Paths, batch sizes and the machine do not count.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder, subject_name
from donorgrid.core.records import Cell, Example, Prompted, Run, Subject, Weights
from donorgrid.facts.models import ModelFacts, model_facts
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.plan.files import read_study
from donorgrid.plan.grid import Grid, make_grid
from donorgrid.plan.study import Study
from donorgrid.tasks import generation_rules

SEMANTICS = 1
"""Raised whenever the engine would give another result for the same input."""

MERGED, UNMERGED = "merged", "unmerged"
"""How adapters stand in the base when it answers: in its weights, or beside them (where those are kept in 4 bit)."""


@dataclass(frozen=True, kw_only=True)
class WorkPlan:
    """A study with the keys of its work.

    ``conditions`` says per model and ``task/language`` what an answer depends on besides the adapter; ``training_keys``
    says per run (by its name on disk) what its training depends on, ``example_keys`` per few-shot subject what it reads
    before every item.
    """

    study: Study
    grid: Grid
    languages_of: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, ModelFacts]
    conditions: Mapping[str, Mapping[str, str]]
    training_keys: Mapping[str, str]
    example_keys: Mapping[str, str]

    def training_key(self, subject: Subject) -> str | None:
        """The key of a run's training; None for what is not trained."""
        return self.training_keys[subject_name(subject)] if isinstance(subject, Run) else None

    def examples_key(self, subject: Subject) -> str | None:
        """The key of the solved examples that a subject reads; None for all but few-shot subjects."""
        return self.example_keys[subject_name(subject)] if isinstance(subject, Prompted) else None

    def scoring_key(self, subject: Subject, target: Cell, adapter_digest: str | None) -> str:
        """The key of one subject's answers on one target."""
        examples = self.examples_key(subject)
        shown = [] if examples is None else [examples]
        return digest_of([self.conditions[subject.model][str(target)], adapter_digest, *shown])

    def failure_key(self, subject: Subject) -> str:
        """What a failure of a subject is noted under."""
        key = self.training_key(subject) or self.examples_key(subject)
        return digest_of([key, dict(self.conditions[subject.model])])[:32]

    def claim_key(self, subject: Subject) -> str:
        """What a process claims before it works on a subject: a run's checkpoints belong to one claim."""
        return self.failure_key(subject.course if isinstance(subject, Run) else subject)

    def keeps(self, run: Run) -> bool:
        """Whether the study keeps the adapter of this run: when cells are listed, one whose every cell is."""
        keep = self.study.keep_adapters
        if isinstance(keep, str):
            return keep == "all"
        return set(run.source.cells) <= {Cell(task=spec.task, language=spec.language) for spec in keep}


def make_workplan(prepared: Prepared) -> WorkPlan:
    """The work plan of a prepared study."""
    study, grid = prepared.study, prepared.grid
    texts = {cell: digest_of([asdict(text) for text in prepared.cells[cell].train]) for cell in grid.source_cells}
    items = {cell: digest_of([asdict(item) for item in prepared.cells[cell].test]) for cell in grid.targets}
    return WorkPlan(
        study=study,
        grid=grid,
        languages_of={name: task.languages for name, task in prepared.tasks.items()},
        facts={model.name: _facts(prepared, model.name) for model in study.models},
        conditions={
            model.name: {str(cell): _condition(prepared, model.name, cell, items[cell]) for cell in grid.targets}
            for model in study.models
        },
        training_keys={subject_name(run): _training_key(prepared, run, texts) for run in grid.runs},
        example_keys={subject_name(one): _examples_key(shown) for one, shown in prepared.examples.items()},
    )


def write_workplan(plan: WorkPlan, folder: StudyFolder) -> None:
    """Keep the plan in the study folder, beside the resolved study."""
    content = {
        "languages_of": dict(plan.languages_of),
        "models": {name: asdict(facts) for name, facts in plan.facts.items()},
        "conditions": plan.conditions,
        "training_keys": plan.training_keys,
        "example_keys": plan.example_keys,
    }
    with whole_file(folder.plan) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_workplan(folder: StudyFolder) -> WorkPlan:
    """The plan in a study folder; InputError when nothing was run there."""
    if not folder.plan.exists():
        raise InputError(f"{folder.root}: no study was run here; 'donorgrid run' starts one")
    content = json.loads(folder.plan.read_text(encoding="utf-8"))
    study = read_study(folder.study_file)
    languages_of = {task: tuple(languages) for task, languages in content["languages_of"].items()}
    return WorkPlan(
        study=study,
        grid=make_grid(study, languages_of, origin=str(folder.study_file)),
        languages_of=languages_of,
        facts={name: ModelFacts(**facts) for name, facts in content["models"].items()},
        conditions=content["conditions"],
        training_keys=content["training_keys"],
        example_keys=content.get("example_keys", {}),  # a plan from before there were any has none
    )


def _facts(prepared: Prepared, name: str) -> ModelFacts:
    spec = prepared.study.model(name)
    folder = prepared.models[name]
    known = model_facts(spec.id, n_parameters=folder.n_parameters, model_type=folder.model_type)
    return ModelFacts(family=spec.family or known.family, size_b=spec.size_b or known.size_b)


def _model_part(prepared: Prepared, model: str) -> dict[str, object]:
    folder, weights = prepared.models[model], prepared.study.model(model).weights
    kept = {} if weights == "own" else {"weights": weights}
    return {"base": folder.weights_digest, "tokenizer": folder.tokenizer_digest, "semantics": SEMANTICS, **kept}


def merge_mode(weights: Weights) -> str:
    """``MERGED`` or ``UNMERGED``, by how a model's weights are kept."""
    return MERGED if weights == "own" else UNMERGED


def _condition(prepared: Prepared, model: str, target: Cell, items_digest: str) -> str:
    return digest_of(
        {
            **_model_part(prepared, model),
            "items": items_digest,
            "metrics": prepared.tasks[target.task].metrics,
            **_generation(prepared, target),
            "precision": prepared.study.scoring.precision,
            "chat_template": prepared.study.scoring.chat_template,
            "merge": merge_mode(prepared.study.model(model).weights),
        }
    )


def _generation(prepared: Prepared, target: Cell) -> dict[str, object]:
    task = prepared.tasks[target.task]
    return {"generation": generation_rules(task, target.language).as_plain()} if task.generates else {}


def _examples_key(shown: Sequence[Example]) -> str:
    return digest_of({"examples": [example.text for example in shown]})


def _training_key(prepared: Prepared, run: Run, text_digests: Mapping[Cell, str]) -> str:
    return digest_of(
        {
            **_model_part(prepared, run.model),
            "recipe": run.recipe.hyperparameters,
            "control": run.source.control,
            "parts": [[text_digests[cell], weight] for cell, weight in run.source.parts],
            "train_seed": run.train_seed,
            "data_seed": run.data_seed,
            "train_size": run.train_size,
            "split_seed": prepared.study.split_seed,
            **({} if run.checkpoint is None else {"checkpoint": run.checkpoint}),
        }
    )
