"""What a study costs: tokens, bytes, and by a short measured trial the time on this machine."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell, Recipe, Run
from donorgrid.models.folders import weight_shapes
from donorgrid.models.loading import load_tokenizer, pick_device
from donorgrid.pipeline.planning.power import power_of_items
from donorgrid.pipeline.planning.trial import trial_speeds
from donorgrid.pipeline.prepare.few_shot_counts import count_few_shot, few_shot_notes
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.pipeline.prepare.text_encoding import text_encoding
from donorgrid.pipeline.prepare.tokenizers import max_input_length
from donorgrid.pipeline.prepare.training_tokens import encoding_notes, training_tokens
from donorgrid.pipeline.prepare.work_keys import WorkPlan, make_workplan
from donorgrid.pipeline.session.devices import default_jobs
from donorgrid.plan.cost import VALIDATION_COST, Amount, ModelCost, Part, adapter_bytes, model_cost, seconds_for
from donorgrid.score.encode import EncodedItem, encode_items
from donorgrid.statistics.power import Noise
from donorgrid.train.encode import encode_texts


@dataclass(frozen=True, kw_only=True)
class StudyCost:
    """What a study costs.

    Attributes
    ----------
    n_sources, n_targets, n_cells : int
        The size of its grid; cells count all models and seeds.
    models : tuple of ModelCost
        The cost of each model.
    jobs : int
        How many processes share the work.
    notes : tuple of str
        What to know before it runs.
    power : pl.DataFrame or None
        What it can show at the default noise (``POWER``); None where it has no plain source cell.
    """

    n_sources: int
    n_targets: int
    n_cells: int
    models: tuple[ModelCost, ...]
    jobs: int
    notes: tuple[str, ...]
    power: pl.DataFrame | None

    @property
    def seconds(self) -> float | None:
        """Wall time with all processes at work; None without a trial."""
        times = [model.seconds for model in self.models]
        if None in times:
            return None
        shared = sum(time for time in times if time is not None) / self.jobs
        return shared + sum(model.ready_seconds for model in self.models)


def study_cost(prepared: Prepared, plan: WorkPlan, *, device: str | None, jobs: int) -> StudyCost:
    """Count a study's tokens and bytes.

    Parameters
    ----------
    prepared : Prepared
        The study.
    plan : WorkPlan
        Its work plan, which says what adapters are kept.
    device : str or None
        Where the speed of each model is measured with a few texts and items; None only counts.
    jobs : int
        How many processes will share the work.

    Returns
    -------
    StudyCost
    """
    costs = []
    for model in prepared.study.models:
        cost, work = _count(prepared, plan, model.name)
        if device is not None:
            trial = trial_speeds(prepared, model.name, work, device=device, jobs=jobs)
            seconds = seconds_for(work, trial.speeds)
            cost = replace(cost, seconds=seconds, ready_seconds=trial.ready_s, trial_seconds=trial.seconds)
        costs.append(cost)
    grid = prepared.grid
    return StudyCost(
        n_sources=len({subject.source.name for subject in grid.compared}),
        n_targets=len(grid.targets),
        n_cells=len(grid.compared) * len(grid.targets),
        models=tuple(costs),
        jobs=jobs,
        notes=(*notes_of(prepared), *_generation_notes(prepared), *_length_notes(prepared)),
        power=_power(prepared),
    )


def _power(prepared: Prepared) -> pl.DataFrame | None:
    has_cells = any(run.source.kind == "cell" for run in prepared.grid.runs)
    return power_of_items(prepared, Noise(), wanted_pp=prepared.study.harm_limit_pp) if has_cells else None


def _count(prepared: Prepared, plan: WorkPlan, model: str) -> tuple[ModelCost, dict[Part, Amount]]:
    """The cost of a model, without time, and the tokens of each part of its work."""
    folder = prepared.models[model]
    tokenizer = load_tokenizer(folder)
    runs = [run for run in prepared.grid.runs if run.model == model]
    in_source = _tokens_in_source(prepared, runs, tokenizer, max_input_length(folder, tokenizer))
    scored = _scored(prepared, tokenizer)
    example_tokens = [
        len(tokenizer.encode("".join(example.text for example in examples), add_special_tokens=False))
        for subject, examples in prepared.examples.items()
        if subject.model == model
    ]
    shapes, courses = weight_shapes(folder), [run for run in runs if run == run.course]
    cost = model_cost(
        model,
        folder.n_parameters,
        train_tokens=(_train_tokens(run, prepared, in_source[run.recipe]) for run in courses),
        score_tokens=sum(part.n_tokens for part in scored.values()),
        n_items=sum(part.n_items for part in scored.values()),
        n_adapters=len(runs),
        example_tokens=example_tokens,
        kept_bytes=(adapter_bytes(run.recipe, shapes) for run in runs if run == run.as_trained and plan.keeps(run)),
    )
    trained = [(run, _train_tokens(run, prepared, in_source[run.recipe])) for run in courses]
    return cost, _parts(trained, scored, n_subjects=1 + len(runs), example_tokens=example_tokens)


def _parts(
    trained: Iterable[tuple[Run, int]], scored: Mapping[str, "_Scored"], *, n_subjects: int, example_tokens: list[int]
) -> dict[Part, Amount]:
    """The parts of a model's work that are measured each by itself."""
    work: dict[Part, Amount] = defaultdict(Amount)
    for run, n_tokens in trained:
        forward_only = run.recipe.validation_share * (1 - VALIDATION_COST)
        part = Part(kind="training", task=run.source.cells[0].task, recipe=run.recipe)
        work[part] += Amount(n_tokens=n_tokens * (1 - forward_only), n_starts=1)
    for task, read in scored.items():
        part = Part(kind="scoring", task=task)
        work[part] = Amount(n_tokens=read.n_tokens * n_subjects, n_starts=read.n_targets * n_subjects)
        if example_tokens:
            n_read = len(example_tokens) * read.n_tokens + sum(example_tokens) * read.n_options
            starts = read.n_targets * len(example_tokens)
            work[Part(kind="few-shot", task=task)] = Amount(n_tokens=n_read, n_starts=starts)
    return dict(work)


@dataclass(frozen=True, kw_only=True)
class _Scored:
    """What one subject reads of a task: targets, items, options, and tokens of context and option for every option."""

    n_targets: int
    n_items: int
    n_options: int
    n_tokens: int


def _scored(prepared: Prepared, tokenizer: Any) -> dict[str, _Scored]:
    """By task, over the languages whose options are scored. Answers that are generated are not estimated."""
    scoring = prepared.study.scoring
    items: dict[str, list[EncodedItem]] = {}
    for cell in prepared.grid.targets:
        if not prepared.tasks[cell.task].generates:
            items.setdefault(cell.task, []).extend(
                encode_items(
                    prepared.cells[cell].test,
                    tokenizer,
                    chat_template=scoring.chat_template,
                    chat_template_args=scoring.chat_template_args,
                ).items
            )
    return {
        task: _Scored(
            n_targets=sum(cell.task == task for cell in prepared.grid.targets),
            n_items=len(encoded),
            n_options=sum(len(item.continuations) for item in encoded),
            n_tokens=sum(len(item.context) + len(tail) for item in encoded for tail in item.continuations),
        )
        for task, encoded in items.items()
    }


def _tokens_in_source(
    prepared: Prepared, runs: Sequence[Run], tokenizer: Any, max_length: int
) -> dict[Recipe, dict[Cell, int]]:
    """By recipe and cell, the tokens of all training texts."""
    counts: dict[Recipe, dict[Cell, int]] = {}
    for recipe in dict.fromkeys(run.recipe for run in runs):
        encoding = text_encoding(prepared.study, recipe, max_length)
        counts[recipe] = {
            cell: sum(len(text.token_ids) for text in encode_texts(prepared.cells[cell].train, tokenizer, encoding))
            for cell in prepared.grid.source_cells
        }
    return counts


def _train_tokens(run: Run, prepared: Prepared, in_source: Mapping[Cell, int]) -> int:
    """Tokens that a run reads over its epochs; draws and mixes count in proportion."""
    available = sum(len(prepared.cells[cell].train) for cell in run.source.cells)
    total = sum(in_source[cell] for cell in run.source.cells)
    n_texts = run.train_size or available / len(run.source.cells)
    return round(total / available * n_texts * run.recipe.epochs)


def _length_notes(prepared: Prepared) -> Iterator[str]:
    for model in prepared.study.models:
        yield from few_shot_notes(count_few_shot(prepared, model.name))
        yield from encoding_notes(training_tokens(prepared, model.name))


def _generation_notes(prepared: Prepared) -> Iterator[str]:
    for name, task in prepared.tasks.items():
        if task.generates:
            yield f"task '{name}': its answers are generated; the estimate of time leaves that out"


def estimate(study_file: Path, folder: StudyFolder, *, device: str | None, jobs: int | None) -> StudyCost:
    """The cost of a study from its file.

    Parameters
    ----------
    study_file : Path
        The study file.
    folder : StudyFolder
        Its folder.
    device : str or None
        "auto", "cpu", or a device of torch; None counts without a trial.
    jobs : int or None
        How many processes share the work; None is the default of ``run_study``.

    Returns
    -------
    StudyCost
    """
    prepared = prepare(study_file, folder)
    picked = None if device is None else pick_device(device)
    return study_cost(prepared, make_workplan(prepared), device=picked, jobs=jobs or default_jobs(picked or "cpu"))
