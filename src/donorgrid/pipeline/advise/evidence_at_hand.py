"""Everything that a recommendation is based on, read once: the model's cells and the knowledge of others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError
from donorgrid.core.records import UNTRAINED, Cell
from donorgrid.facts.languages import language_label
from donorgrid.facts.models import family_of
from donorgrid.pipeline.advise.known_cells import arms_of, known_deltas, models_in, need_one_model, read_cells
from donorgrid.pipeline.advise.released_knowledge import knowledge_path
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.statistics.transfer_model.knowledge import Knowledge, gather_knowledge
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

NEW_MODEL = "a new model"
"""The name of a model that was neither measured nor named."""

_MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class EvidenceAtHand:
    """What is known.

    Attributes
    ----------
    model, family : str
        The model in question and its family.
    cells : DataFrame or None
        Measured cells of its adapters.
    arms : sequence of (str, DataFrame or None)
        The same by recipe, train size and checkpoint, each with its name.
    prompts : DataFrame or None
        Measured cells of what was not trained: few-shot prompts.
    planned : mapping of str to SourceParts
        Sources of its studies' plans.
    planned_targets : tuple of Cell
        Targets of those plans.
    studies : tuple of MeasuredCells
        The given studies, with plan and folder.
    knowledge : Knowledge or None
        Deltas of other models.
    known_recipes : tuple of str
        The recipes of those.
    notes : tuple of str
        What was missing or left out on reading.
    """

    model: str
    family: str
    cells: pl.DataFrame | None
    arms: Sequence[tuple[str, pl.DataFrame | None]]
    planned: Mapping[str, SourceParts]
    prompts: pl.DataFrame | None = None
    planned_targets: tuple[Cell, ...] = ()
    studies: tuple[MeasuredCells, ...] = ()
    knowledge: Knowledge | None = None
    known_recipes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_evidence(request: AdviceRequest) -> EvidenceAtHand:
    """Read what a request names. Raises InputError if something cannot be read, or if the model is not clear."""
    given, knowledge = read_cells(request.given), read_cells([knowledge_path(path) for path in request.knowledge])
    model = need_one_model(models_in(given), request.model) if given else request.model or NEW_MODEL
    return evidence_of(given, knowledge, model=model, family=request.family)


def evidence_of(
    given: Sequence[MeasuredCells], knowledge: Sequence[MeasuredCells], *, model: str, family: str | None = None
) -> EvidenceAtHand:
    """Sort cells into those of the model in question and those of others.

    Parameters
    ----------
    given, knowledge : sequence of MeasuredCells
        As ``read_cells`` gives them; every other model of both is knowledge.
    model : str
        The model in question.
    family : str, optional
        Its family, if not as its tables or its name say.

    Returns
    -------
    EvidenceAtHand
    """
    measured = _cells_of(given, model)
    cells, prompts = (None, None) if measured is None else _trained_and_not(measured)
    deltas = known_deltas([*given, *knowledge], without=model)
    others = [frame.cells.filter(pl.col("model") != model) for frame in (*given, *knowledge)]
    recipes = {str(recipe) for frame in others for recipe in frame["recipe"].unique()} - {UNTRAINED}
    return EvidenceAtHand(
        model=model,
        family=_family(model, cells, family),
        cells=cells,
        arms=[("", None)] if cells is None else arms_of(cells),
        planned=_planned_sources(given),
        prompts=prompts,
        planned_targets=tuple(
            dict.fromkeys(cell for frame in given if frame.plan is not None for cell in frame.plan.grid.targets)
        ),
        studies=tuple(frame for frame in given if frame.plan is not None),
        knowledge=gather_knowledge(deltas) if deltas else None,
        known_recipes=tuple(sorted(recipes)),
        notes=tuple(dict.fromkeys(note for frame in (*given, *knowledge) for note in frame.notes)),
    )


def make_wish(request: AdviceRequest, evidence: EvidenceAtHand) -> Wish:
    """The wish of a request, its guards named.

    Parameters
    ----------
    request : AdviceRequest
        With ``--guard all`` every measured target that is not wanted is a guard.
    evidence : EvidenceAtHand
        What was measured.

    Returns
    -------
    Wish

    Raises
    ------
    InputError
        If nothing is wanted, or ``all`` leaves no guard.
    """
    if not request.wanted:
        known = ", ".join(map(str, known_targets(evidence)[:_MOST_NAMED]))
        raise InputError(f"recommend: name at least one wanted target (--for TASK/LANGUAGE), such as {known}")
    wanted = {_as_measured(cell, evidence): weight for cell, weight in request.wanted_cells.items()}
    if request.all_guarded:
        guards = tuple(cell for cell in _all_targets(evidence) if cell not in wanted)
        if not guards:
            raise InputError("recommend: --guard all leaves no guard: every measured target is wanted")
    else:
        guards = tuple(dict.fromkeys(_as_measured(Cell.parse(name), evidence) for name in request.guards))
    return Wish(
        wanted=wanted,
        guards=guards,
        all_guarded=request.all_guarded,
        worst=request.worst,
        limit_pp=request.limit_pp,
        confidence=request.confidence,
        allow_harmed=request.allow_harmed,
    )


def targets_in(cells: pl.DataFrame) -> list[Cell]:
    """Returns the targets of measured cells, each once, in their order."""
    pairs = cells.select("target_task", "target_language").unique(maintain_order=True).iter_rows()
    return [Cell(task=task, language=language) for task, language in pairs]


def known_targets(evidence: EvidenceAtHand) -> list[Cell]:
    """Returns the targets that were measured on any model, or are planned."""
    measured = [] if evidence.cells is None else targets_in(evidence.cells)
    known = [] if evidence.knowledge is None else evidence.knowledge.targets
    return list(dict.fromkeys([*measured, *evidence.planned_targets, *known]))


def _as_measured(cell: Cell, evidence: EvidenceAtHand) -> Cell:
    """The measured target that a cell names, also where its language is written otherwise; else the cell itself."""
    label = language_label(cell.language)
    same = [known for known in known_targets(evidence) if known.task == cell.task]
    alike = [known for known in same if language_label(known.language) == label]
    return cell if cell in same or not alike else alike[0]


def _all_targets(evidence: EvidenceAtHand) -> list[Cell]:
    measured = [] if evidence.cells is None else targets_in(evidence.cells)
    known = [] if evidence.knowledge is None else list(evidence.knowledge.targets)
    return measured or list(evidence.planned_targets) or known


def _cells_of(frames: Sequence[MeasuredCells], model: str) -> pl.DataFrame | None:
    cells = [part for frame in frames if (part := frame.cells.filter(pl.col("model") == model)).height]
    return pl.concat(cells, how="diagonal") if cells else None


def _trained_and_not(cells: pl.DataFrame) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """The cells of adapters, and those of few-shot prompts; None where there are none."""
    prompted = pl.col("recipe") == UNTRAINED
    trained, prompts = cells.filter(~prompted), cells.filter(prompted)
    return trained if trained.height else None, prompts if prompts.height else None


def _family(model: str, cells: pl.DataFrame | None, named: str | None) -> str:
    """The model's family: as named, as its tables say, or by its name; else a family of its own."""
    in_tables = None if cells is None or "family" not in cells.columns else cells["family"].drop_nulls()
    return named or (None if in_tables is None or in_tables.is_empty() else in_tables[0]) or family_of(model) or model


def _planned_sources(frames: Sequence[MeasuredCells]) -> dict[str, SourceParts]:
    """The sources of the studies' plans that train on plain texts."""
    sources = [run.source for frame in frames if frame.plan is not None for run in frame.plan.grid.runs]
    return {source.name: dict(source.parts) for source in sources if source.kind != "control"}
