"""How far the model, its recipe and the targets in question are from what was measured."""

import polars as pl

from donorgrid.advise.default_numbers import default_numbers
from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell
from donorgrid.facts.models import size_b_of
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, known_targets
from donorgrid.statistics.transfer_model.knowledge import Knowledge

UNSPECIFIED = "unspecified"
_MOST_NAMED = 3


def refuse_what_nothing_tells(wish: Wish, cells: pl.DataFrame | None, knowledge: Knowledge | None) -> None:
    """Refuse targets of which neither the task nor the language was ever measured.

    Parameters
    ----------
    wish : Wish
        The targets in question.
    cells : DataFrame or None
        Measured cells of the model.
    knowledge : Knowledge or None
        Those of other models.

    Raises
    ------
    InputError
        Naming the first such target and what was measured.
    """
    known = {*_measured_targets(cells), *([] if knowledge is None else knowledge.targets)}
    tasks, languages = {cell.task for cell in known}, {cell.language for cell in known}
    for cell in wish.targets:
        if cell.task not in tasks and cell.language not in languages:
            raise InputError(
                f"recommend: nothing can be said of {cell}: neither its task nor its language was measured; "
                f"tasks: {', '.join(sorted(tasks))}; languages: {', '.join(sorted(languages))}"
            )


def refuse_format_alone(evidence: EvidenceAtHand) -> None:
    """Raises InputError if every target of the model is degenerate and no other model was measured."""
    cells = evidence.cells
    if cells is not None and evidence.knowledge is None and "degenerate" in cells.columns and cells["degenerate"].all():
        raise InputError(
            "recommend: nothing can be said, because every measured target starts at chance or from one answer: its "
            "deltas show format, not skill; measure other targets, or name other models with --knowledge"
        )


def limits_of_evidence(wish: Wish, evidence: EvidenceAtHand) -> list[str]:
    """What a reader should know of the distance between the question and the evidence.

    Parameters
    ----------
    wish : Wish
        The targets in question.
    evidence : EvidenceAtHand
        The model, its measured cells, and those of other models.

    Returns
    -------
    list of str
        A clause each, without a full stop.
    """
    return [
        *_of_targets(wish, evidence.cells, evidence.knowledge),
        *_of_models(evidence.model, evidence.family, evidence.knowledge),
        *_of_what_knowledge_shares(wish, evidence.knowledge),
        *_of_recipes(evidence),
        *_of_noise(evidence.cells),
        *_of_degenerate(wish, evidence.cells),
    ]


def near_names(wish: Wish, evidence: EvidenceAtHand) -> list[str]:
    """Notes on targets that nobody measured although one of nearly the same name was.

    Parameters
    ----------
    wish : Wish
        The targets in question.
    evidence : EvidenceAtHand
        What was measured.

    Returns
    -------
    list of str
    """
    tasks = {cell.task for cell in known_targets(evidence)}
    unknown = [cell for cell in wish.targets if cell.task not in tasks]
    return [
        f"no model was measured on the task of {cell}{near}"
        for cell in unknown
        if (near := suggestion(cell.task, tasks))
    ]


def _measured_targets(cells: pl.DataFrame | None) -> set[Cell]:
    if cells is None:
        return set()
    pairs = cells.select("target_task", "target_language").unique().iter_rows()
    return {Cell(task=task, language=language) for task, language in pairs}


def _of_targets(wish: Wish, cells: pl.DataFrame | None, knowledge: Knowledge | None) -> list[str]:
    measured = _measured_targets(cells)
    known = {*measured, *([] if knowledge is None else knowledge.targets)}
    nowhere = [cell for cell in wish.targets if cell not in known]
    elsewhere = [cell for cell in wish.targets if cell in known and cell not in measured] if measured else []
    clauses = [f"{_named(nowhere)} was measured on no model"] if nowhere else []
    return clauses + ([f"{_named(elsewhere)} was measured on other models only"] if elsewhere else [])


def _of_models(model: str, family: str, knowledge: Knowledge | None) -> list[str]:
    if knowledge is None:
        numbers = default_numbers()
        clause = f"no other model's table was given: how much cells vary is taken from {len(numbers.models)} models"
        return [clause, f"{model} is one of them"] if model in numbers.models else [clause]
    clauses = [] if family in knowledge.families else [f"no model of the family {family} is among the knowledge"]
    size, sizes = size_b_of(model), [size for name in knowledge.models if (size := size_b_of(name)) is not None]
    if size is not None and sizes and not min(sizes) <= size <= max(sizes):
        clauses.append(f"its size, {size:g}B, is outside that of the knowledge, {min(sizes):g}B to {max(sizes):g}B")
    return clauses


def _of_what_knowledge_shares(wish: Wish, knowledge: Knowledge | None) -> list[str]:
    if knowledge is None:
        return []
    tasks, languages = {cell.task for cell in wish.targets}, {cell.language for cell in wish.targets}
    if tasks & set(knowledge.tasks) or languages & set(knowledge.languages):
        return []
    return ["the other models' tables have no task and no language in common with these targets"]


def _of_recipes(evidence: EvidenceAtHand) -> list[str]:
    """The knowledge's recipes where the model's adapters have others, as far as the tables name them."""
    recipes = set() if evidence.cells is None else set(evidence.cells["recipe"].to_list())
    known = set(evidence.known_recipes) - {UNSPECIFIED}
    if evidence.knowledge is None or not known or recipes & known or not recipes - {UNSPECIFIED}:
        return []
    return [f"the other models were trained with {', '.join(sorted(known))}, not {', '.join(sorted(recipes))}"]


def _of_noise(cells: pl.DataFrame | None) -> list[str]:
    if cells is None or cells["noise_se_pp"].is_not_null().any():
        return []
    return ["the tables say nothing of noise: every delta is taken to have a standard error of 1 pp"]


def all_degenerate(wish: Wish, cells: pl.DataFrame | None) -> bool:
    """True if every wanted target starts at chance or from one answer on the model in question.

    Parameters
    ----------
    wish : Wish
        The wanted targets.
    cells : DataFrame or None
        Measured cells of the model.

    Returns
    -------
    bool
    """
    return set(wish.wanted) <= _degenerate_targets(cells)


def _degenerate_targets(cells: pl.DataFrame | None) -> set[Cell]:
    if cells is None or "degenerate" not in cells.columns:
        return set()
    flagged = cells.filter("degenerate").select("target_task", "target_language").unique().iter_rows()
    return {Cell(task=task, language=language) for task, language in flagged}


def _of_degenerate(wish: Wish, cells: pl.DataFrame | None) -> list[str]:
    at_chance = _degenerate_targets(cells)
    degenerate = [cell for cell in wish.targets if cell in at_chance]
    return [f"{_named(degenerate)} starts at chance or from one answer: its delta shows format"] if degenerate else []


def _named(cells: list[Cell]) -> str:
    names = ", ".join(str(cell) for cell in cells[:_MOST_NAMED])
    return names if len(cells) <= _MOST_NAMED else f"{names} and {len(cells) - _MOST_NAMED} more"
