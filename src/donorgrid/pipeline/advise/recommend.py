"""What to train a model on: its own cells and those of other models, one posterior, one decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from donorgrid.advise.deciding import Decision, decide
from donorgrid.advise.default_numbers import default_numbers
from donorgrid.advise.judging import Judged, judge_options
from donorgrid.advise.options import Evidence, Option
from donorgrid.advise.sentences import Advice, advise
from donorgrid.advise.similar_languages import similar_languages
from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.facts.models import family_of
from donorgrid.pipeline.advise.candidates import candidate_sources, make_options, with_comparators
from donorgrid.pipeline.advise.known_cells import (
    arms_of,
    known_deltas,
    measured_deltas,
    models_in,
    need_one_model,
    read_cells,
    source_parts,
)
from donorgrid.pipeline.advise.limits_of_evidence import limits_of_evidence, refuse_what_nothing_tells
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.statistics.transfer_model.defaults import model_from_defaults
from donorgrid.statistics.transfer_model.knowledge import Knowledge, gather_knowledge
from donorgrid.statistics.transfer_model.model import TransferModel, fit_model
from donorgrid.statistics.transfer_model.posterior import draw_deltas
from donorgrid.statistics.transfer_model.question import Question
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

FEW_SHOT = "few-shot"


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What to do, and what it rests on.

    Attributes
    ----------
    model : str
        The model in question.
    wish : Wish
        What was asked.
    decision : Decision
        The chosen option and the ranking.
    advice : Advice
        The sentences.
    notes : tuple of str
        What was missing or left out.
    """

    model: str
    wish: Wish
    decision: Decision
    advice: Advice
    notes: tuple[str, ...]


def recommend(request: AdviceRequest) -> Recommendation:
    """Say what to train a model on.

    Parameters
    ----------
    request : AdviceRequest
        What is wanted and guarded, and where the evidence lies.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError
        If a cell is unknown, the guards leave nothing, or nothing can be said.
    """
    with threadpool_limits(limits=1):
        evidence = _read_evidence(request)
        wish = _wish(request, evidence)
        refuse_what_nothing_tells(wish, evidence.cells, evidence.knowledge)
        judged = [judged for arm in evidence.arms for judged in _judge_arm(arm, wish, evidence, request.n_draws)]
        decision = decide(judged, wish)
        limits = limits_of_evidence(
            wish, model=evidence.model, family=evidence.family, cells=evidence.cells, knowledge=evidence.knowledge
        )
        return Recommendation(
            model=evidence.model,
            wish=wish,
            decision=decision,
            advice=advise(decision, wish, limits_of_evidence=limits),
            notes=evidence.notes,
        )


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """The cells of the model in question by arm, and the other models' knowledge."""

    model: str
    family: str
    cells: pl.DataFrame | None
    arms: Sequence[tuple[str, pl.DataFrame | None]]
    planned: Mapping[str, SourceParts]
    knowledge: Knowledge | None
    notes: tuple[str, ...]


def _read_evidence(request: AdviceRequest) -> _Evidence:
    given, knowledge = read_cells(request.given), read_cells(request.knowledge)
    model = need_one_model(models_in(given), request.model) if given else request.model or "a new model"
    cells = _cells_of(given, model)
    deltas = known_deltas([*given, *knowledge], without=model)
    return _Evidence(
        model=model,
        family=_family(model, cells, request.family),
        cells=cells,
        arms=[("", None)] if cells is None else arms_of(cells),
        planned=_planned_sources(given),
        knowledge=gather_knowledge(deltas) if deltas else None,
        notes=tuple(note for frame in (*given, *knowledge) for note in frame.notes),
    )


def _cells_of(frames: Sequence[MeasuredCells], model: str) -> pl.DataFrame | None:
    cells = [part for frame in frames if (part := frame.cells.filter(pl.col("model") == model)).height]
    return pl.concat(cells, how="diagonal") if cells else None


def _family(model: str, cells: pl.DataFrame | None, named: str | None) -> str:
    """The model's family: as named, as its tables say, or by its name; else a family of its own."""
    in_tables = None if cells is None or "family" not in cells.columns else cells["family"].drop_nulls()
    return named or (None if in_tables is None or in_tables.is_empty() else in_tables[0]) or family_of(model) or model


def _planned_sources(frames: Sequence[MeasuredCells]) -> dict[str, SourceParts]:
    """The sources of the studies' plans that train on plain texts."""
    sources = [run.source for frame in frames if frame.plan is not None for run in frame.plan.grid.runs]
    return {source.name: dict(source.parts) for source in sources if source.kind != "control"}


def _wish(request: AdviceRequest, evidence: _Evidence) -> Wish:
    wanted = request.wanted_cells
    if request.all_guarded:
        measured = [] if evidence.cells is None else _targets_in(evidence.cells)
        targets = measured or ([] if evidence.knowledge is None else list(evidence.knowledge.targets))
        guards = tuple(cell for cell in targets if cell not in wanted)
        if not guards:
            raise InputError("recommend: --guard all leaves no guard: every measured target is wanted")
    else:
        guards = tuple(dict.fromkeys(Cell.parse(name) for name in request.guards))
    return Wish(
        wanted=wanted,
        guards=guards,
        all_guarded=request.all_guarded,
        worst=request.worst,
        limit_pp=request.limit_pp,
        confidence=request.confidence,
        allow_harmed=request.allow_harmed,
    )


def _targets_in(cells: pl.DataFrame) -> list[Cell]:
    pairs = cells.select("target_task", "target_language").unique(maintain_order=True).iter_rows()
    return [Cell(task=task, language=language) for task, language in pairs]


def _judge_arm(arm: tuple[str, pl.DataFrame | None], wish: Wish, evidence: _Evidence, n_draws: int) -> list[Judged]:
    recipe, cells = arm
    measured = {} if cells is None else _measured_sources(cells, evidence.planned)
    known = () if evidence.knowledge is None else evidence.knowledge.sources
    sources = candidate_sources(measured=measured, planned=evidence.planned, known=known)
    named = {name: (parts, None) for name, parts in sources.items()} | with_comparators(sources, wish.wanted)
    targets = list(dict.fromkeys([*wish.targets, *([] if cells is None else _targets_in(cells))]))
    numbers = {name: index for index, name in enumerate(named)}
    columns = {cell: index for index, cell in enumerate(targets)}
    question = Question(
        sources=[parts for parts, _ in named.values()],
        targets=targets,
        family=evidence.family,
        measured=None if cells is None else measured_deltas(cells, numbers, columns),
    )
    draws = draw_deltas(_model(evidence, targets), question, n_draws=n_draws)[:, :, : len(wish.targets)]
    n_models = 0 if evidence.knowledge is None else len(evidence.knowledge.models)
    options = make_options(named, cells, recipe=recipe, wish=wish, n_models=n_models)
    return judge_options(options, draws, wish) + _judge_prompts(cells, wish, n_draws)


def _measured_sources(cells: pl.DataFrame, planned: Mapping[str, SourceParts]) -> dict[str, SourceParts]:
    rows = cells.unique("source_name", keep="first", maintain_order=True).iter_rows(named=True)
    return {row["source_name"]: parts for row in rows if (parts := source_parts(row, planned)) is not None}


def _model(evidence: _Evidence, targets: Sequence[Cell]) -> TransferModel:
    languages = [cell.language for cell in targets]
    if evidence.knowledge is None:
        return model_from_defaults(default_numbers(), targets, similarity=similar_languages(languages))
    return fit_model(evidence.knowledge, similarity=similar_languages([*languages, *evidence.knowledge.languages]))


def _judge_prompts(cells: pl.DataFrame | None, wish: Wish, n_draws: int) -> list[Judged]:
    """Few-shot prompts that were measured on every target in question: their deltas with their noise."""
    if cells is None or "control" not in cells.columns:
        return []
    prompts = cells.filter(pl.col("control").str.starts_with(FEW_SHOT))
    judged = []
    rng = np.random.default_rng(0)
    for (name,), rows in prompts.group_by("source_name", maintain_order=True):
        values = {
            Cell(task=row["target_task"], language=row["target_language"]): (row["delta_pp"], row["noise_se_pp"] or 0.0)
            for row in rows.iter_rows(named=True)
        }
        if not set(wish.targets) <= set(values):
            continue
        mean, se = np.array([values[cell] for cell in wish.targets]).T
        draws = mean + se * rng.standard_normal((n_draws, 1, len(mean)))
        option = Option(name=str(name), cells={}, evidence=Evidence(rests_on="measured"), comparator="few-shot prompt")
        judged += judge_options([option], draws, wish)
    return judged
