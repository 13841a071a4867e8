"""One arm (a recipe, train size and checkpoint) of a model: its options, and joint draws that judge them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.advise.default_numbers import default_numbers
from donorgrid.advise.judging import Judged, judge_options
from donorgrid.advise.options import Comparator, Evidence, Option
from donorgrid.advise.similar_languages import similar_languages
from donorgrid.advise.specific import with_specific_parts
from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.facts.typology import uriel_distances
from donorgrid.pipeline.advise.candidates import candidate_sources, make_options, with_comparators
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, targets_in
from donorgrid.pipeline.advise.known_cells import measured_deltas, source_parts
from donorgrid.statistics.transfer_model.defaults import model_from_defaults
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.posterior import draw_deltas
from donorgrid.statistics.transfer_model.question import Question
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

NO_TRAINING: Comparator = "no training"


@dataclass(frozen=True, kw_only=True)
class JudgedArm:
    """An arm with everything that was judged in it.

    Attributes
    ----------
    recipe : str
        The arm's name; empty for a model without adapters.
    cells : DataFrame or None
        Its measured cells.
    options : list of Option
        What could be trained.
    draws : ndarray
        Joint draws of true deltas in pp, shape ``(n_draws, n_options, n_targets)``, targets as in the wish.
    judged : list of Judged
        In the order of ``options``.
    """

    recipe: str
    cells: pl.DataFrame | None
    options: list[Option]
    draws: Reals
    judged: list[Judged]


def judge_arm(
    arm: tuple[str, pl.DataFrame | None], wish: Wish, evidence: EvidenceAtHand, *, model: TransferModel, n_draws: int
) -> JudgedArm:
    """Judge everything that could be trained in an arm.

    Parameters
    ----------
    arm : (str, DataFrame or None)
        Its name and measured cells.
    wish : Wish
        What is wanted and guarded.
    evidence : EvidenceAtHand
        The model and the knowledge.
    model : TransferModel
        As ``fit_to_knowledge`` gives it.
    n_draws : int
        Joint draws.

    Returns
    -------
    JudgedArm
    """
    recipe, cells = arm
    measured = {} if cells is None else _measured_sources(cells, evidence.planned)
    known = () if evidence.knowledge is None else evidence.knowledge.sources
    sources = candidate_sources(measured=measured, planned=evidence.planned, known=known)
    named = {name: (parts, None) for name, parts in sources.items()} | with_comparators(sources, wish.wanted)
    draws = _draw(cells, {name: parts for name, (parts, _) in named.items()}, wish, evidence, model, n_draws)
    n_models = 0 if evidence.knowledge is None else len(evidence.knowledge.models)
    options = make_options(named, cells, recipe=recipe, wish=wish, n_models=n_models)
    judged = judge_options(options, draws, wish)
    controls = {name: wish.gain(deltas) for name, deltas in _controls(cells, wish, n_draws).items()}
    if cells is not None:
        judged = with_specific_parts(judged, controls, wish)
    return JudgedArm(recipe=recipe, cells=cells, options=options, draws=draws, judged=judged)


def fit_to_knowledge(evidence: EvidenceAtHand, wish: Wish, *, with_typology: bool = False) -> TransferModel:
    """The model of transfer that the knowledge gives, or the built-in numbers where there is none.

    Parameters
    ----------
    evidence : EvidenceAtHand
        Knowledge, and the cells whose languages occur.
    wish : Wish
        Its targets.
    with_typology : bool
        True to take the similarity of languages from URIEL+.

    Returns
    -------
    TransferModel

    Raises
    ------
    InputError
        If URIEL+ is wanted and not installed.
    """
    targets = list(dict.fromkeys([*wish.targets, *([] if evidence.cells is None else targets_in(evidence.cells))]))
    known = () if evidence.knowledge is None else evidence.knowledge.languages
    languages = sorted({*known, *(cell.language for cell in targets)})
    similarity = similar_languages(languages, uriel_distances(languages) if with_typology else None)
    if evidence.knowledge is None:
        return model_from_defaults(default_numbers(), targets, similarity=similarity)
    return fit_model(evidence.knowledge, similarity=similarity)


def judge_no_training(wish: Wish, n_draws: int) -> Judged:
    """The option of training nothing: every delta is 0.

    Parameters
    ----------
    wish : Wish
        What is wanted and guarded.
    n_draws : int
        Joint draws.

    Returns
    -------
    Judged
    """
    option = Option(name=NO_TRAINING, cells={}, evidence=Evidence(rests_on="measured"), comparator=NO_TRAINING)
    return judge_options([option], np.zeros((n_draws, 1, len(wish.targets))), wish)[0]


def judge_prompts(prompts: pl.DataFrame | None, wish: Wish, n_draws: int) -> list[Judged]:
    """Few-shot prompts that were measured on every target in question: their deltas with their noise.

    Parameters
    ----------
    prompts : DataFrame or None
        Measured cells of what was not trained.
    wish : Wish
        What is wanted and guarded.
    n_draws : int
        Joint draws.

    Returns
    -------
    list of Judged
    """
    rng = np.random.default_rng(0)
    judged = []
    for name, values in _measured_on_all(prompts, wish.targets).items():
        mean, se = values.T
        draws = mean + se * rng.standard_normal((n_draws, 1, len(mean)))
        option = Option(name=name, cells={}, evidence=Evidence(rests_on="measured"), comparator="few-shot prompt")
        judged += judge_options([option], draws, wish)
    return judged


def _draw(
    cells: pl.DataFrame | None,
    sources: Mapping[str, SourceParts],
    wish: Wish,
    evidence: EvidenceAtHand,
    model: TransferModel,
    n_draws: int,
) -> Reals:
    """Joint draws of true deltas on the targets of the wish."""
    targets = list(dict.fromkeys([*wish.targets, *([] if cells is None else targets_in(cells))]))
    numbers = {name: index for index, name in enumerate(sources)}
    columns = {cell: index for index, cell in enumerate(targets)}
    question = Question(
        sources=list(sources.values()),
        targets=targets,
        family=evidence.family,
        measured=None if cells is None else measured_deltas(cells, numbers, columns),
    )
    return draw_deltas(model, question, n_draws=n_draws)[:, :, : len(wish.targets)]


def _measured_sources(cells: pl.DataFrame, planned: Mapping[str, SourceParts]) -> dict[str, SourceParts]:
    rows = cells.unique("source_name", keep="first", maintain_order=True).iter_rows(named=True)
    return {row["source_name"]: parts for row in rows if (parts := source_parts(row, planned)) is not None}


def _controls(cells: pl.DataFrame | None, wish: Wish, n_draws: int) -> dict[str, Reals]:
    """Draws of the mean deltas of each kind of trained control on the wanted targets, ``(n_draws, n_wanted)``."""
    if cells is None or "control" not in cells.columns:
        return {}
    rng = np.random.default_rng(0)
    wanted = list(wish.wanted)
    draws = {}
    for (kind,), rows in cells.filter(pl.col("control").is_not_null()).group_by("control", maintain_order=True):
        values = list(_measured_on_all(rows, wanted).values())
        if values:
            mean = np.mean([part[:, 0] for part in values], axis=0)
            se = np.sqrt(np.mean([part[:, 1] ** 2 for part in values], axis=0) / len(values))
            draws[f"{kind} adapters"] = mean + se * rng.standard_normal((n_draws, len(wanted)))
    return draws


def _measured_on_all(cells: pl.DataFrame | None, targets: Sequence[Cell]) -> dict[str, Reals]:
    """(delta, standard error) on each target, of every source that was measured on all, shape ``(n_targets, 2)``."""
    results = {}
    for (name,), rows in [] if cells is None else cells.group_by("source_name", maintain_order=True):
        values = {
            Cell(task=row["target_task"], language=row["target_language"]): (row["delta_pp"], row["noise_se_pp"] or 0.0)
            for row in rows.iter_rows(named=True)
        }
        if set(targets) <= set(values):
            results[str(name)] = np.array([values[cell] for cell in targets])
    return results
