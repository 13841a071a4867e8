"""A short measured trial: how many tokens per second this machine trains and scores."""

import math
import time
from collections.abc import Callable, Mapping
from functools import partial

from donorgrid.core.records import Cell, Recipe, Run
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.plan.cost import Rates

_TRIAL_TEXTS = 32
_TRIAL_ITEMS = 48


def trial_rates(prepared: Prepared, model: str, device: str) -> Rates:
    """Tokens per second that this machine trains and scores with a model, measured for a few seconds.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.
    device : str
        A device of torch.

    Returns
    -------
    Rates
        Infinite where the study trains or scores nothing with it.
    """
    session = StudySession(prepared, model, device=device)
    runs = {run.recipe: run for run in prepared.grid.runs if run.model == model}
    scored = scored_targets(prepared)
    return Rates(
        train=_training_rate(session, runs) if runs else math.inf,
        score=_rate(lambda: session.score_first(scored[0], _TRIAL_ITEMS)) if scored else math.inf,
    )


def _training_rate(session: StudySession, runs: Mapping[Recipe, Run]) -> float:
    """Tokens per second over all recipes, weighted by epochs: all recipes have equally many runs."""
    epochs = sum(recipe.epochs for recipe in runs)
    return epochs / sum(
        recipe.epochs / _rate(partial(session.training.trial, run, _TRIAL_TEXTS)) for recipe, run in runs.items()
    )


def scored_targets(prepared: Prepared) -> list[Cell]:
    """The targets whose options are scored; answers of the others are generated, at a cost that is not estimated."""
    return [cell for cell in prepared.grid.targets if not prepared.tasks[cell.task].generates]


def _rate(work: Callable[[], int]) -> float:
    """Tokens per second of ``work``, which returns its tokens; the first call warms up."""
    work()
    start = time.perf_counter()
    n_tokens = work()
    return n_tokens / (time.perf_counter() - start)
