"""What could be measured next on a model, with its noise and its cost."""

from collections.abc import Sequence

import numpy as np

from donorgrid.advise.deciding import Decision
from donorgrid.advise.items_needed import ItemsNeeded, Measurable, items_needed
from donorgrid.advise.next_step import Measurement
from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.pipeline.advise.cell_noise import CellNoise, MeasuringCosts, measuring_costs
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand
from donorgrid.pipeline.advise.judged_arms import JudgedArm


def possible_measurements(arm: JudgedArm, wish: Wish, evidence: EvidenceAtHand) -> list[Measurement]:
    """Sources that could be trained, targets that the adapters could be scored on, and more items.

    Parameters
    ----------
    arm : JudgedArm
        The arm whose recipe is gone on with.
    wish : Wish
        The targets that are scored.
    evidence : EvidenceAtHand
        Plans say how large a measurement is.

    Returns
    -------
    list of Measurement
    """
    costs = measuring_costs(arm, evidence)
    cells = CellNoise.of(arm, wish, costs)
    trained = [index for index, option in enumerate(arm.options) if option.name in cells.trained]
    everything = np.arange(len(wish.targets))
    measurements = [
        Measurement(
            kind="train",
            label=option.name,
            index=np.stack([np.full_like(everything, index), everything], axis=1),
            noise_sd_pp=cells.typical_sd_pp,
            cost=1.0,
            task=next(iter(tasks)) if len(tasks := {cell.task for cell in option.cells}) == 1 else "",
        )
        for index, option in enumerate(arm.options)
        if index not in trained
    ]
    for column, target in enumerate(wish.targets):
        missing = [index for index in trained if not cells.is_measured[index, column]]
        if missing:
            measurements.append(
                Measurement(
                    kind="score a target",
                    label=str(target),
                    index=np.array([(index, column) for index in missing]),
                    noise_sd_pp=np.full(len(missing), cells.typical_sd_pp[column]),
                    cost=len(missing) * costs.scoring(len(wish.targets)) / len(wish.targets),
                )
            )
    more = _more_items(arm, cells, costs, len(wish.targets))
    return [*measurements, more] if more is not None and _has_more_items(evidence) else measurements


def _more_items(arm: JudgedArm, cells: CellNoise, costs: MeasuringCosts, n_targets: int) -> Measurement | None:
    """As many items again for every adapter that was scored; None where the noise of items is not known."""
    index = np.argwhere(cells.is_measured & np.isfinite(cells.item_variance))
    if not len(index):
        return None
    rows, columns = index.T
    items, runs = cells.item_variance[rows, columns], cells.run_variance[rows, columns]
    total = np.maximum(items + runs, 1e-9)
    missed = cells.delta_pp[rows, columns] - arm.draws[:, rows, columns]
    luck = np.random.default_rng(1).standard_normal(missed.shape)
    n_adapters = len(np.unique(rows))
    return Measurement(
        kind="score more items",
        label=f"{2 * costs.n_items:,} items instead of {costs.n_items:,}",
        index=index,
        noise_sd_pp=np.sqrt(items),
        kept_noise_pp=missed * runs / total + np.sqrt(items * runs / total) * luck,
        cost=n_adapters * costs.scoring(n_targets),
    )


def _has_more_items(evidence: EvidenceAtHand) -> bool:
    """False if a study scores all items that there are already."""
    limits = [study.plan.study.limits.test_items for study in evidence.studies if study.plan is not None]
    return not limits or all(limit is not None for limit in limits)


def what_items_would_decide(
    arms: Sequence[JudgedArm], decision: Decision, wish: Wish, evidence: EvidenceAtHand
) -> ItemsNeeded | None:
    """How many items would show that some option gains and is safe, where those at hand could not.

    Parameters
    ----------
    arms : sequence of JudgedArm
        Where the options come from.
    decision : Decision
        Its ranking: the first option that needs more items is told.
    wish : Wish
        Guards, limit and confidence.
    evidence : EvidenceAtHand
        Says how many items a measurement has.

    Returns
    -------
    ItemsNeeded or None
        None where the items at hand could decide, where the noise of items is not known, or where no option is expected
        both to gain and to be safe.
    """
    by_option = {id(judged): (arm, index) for arm in arms for index, judged in enumerate(arm.judged)}
    for judged in decision.ranked:
        if id(judged) not in by_option or judged.safety == "harmed":
            continue
        arm, index = by_option[id(judged)]
        costs = measuring_costs(arm, evidence)
        cells = CellNoise.of(arm, wish, costs)
        if not np.isfinite(cells.item_variance).any():
            continue
        expected = arm.draws[:, index].mean(axis=0)
        if wish.gain(expected[: len(wish.wanted)]) <= 0:
            continue
        usual = float(np.nanmean(cells.item_variance)), float(np.nanmean(cells.run_variance))
        return items_needed(
            Measurable(
                judged=judged,
                expected_pp=expected,
                n_items=costs.n_items,
                item_variance=_known_or(cells.item_variance[index], usual[0]),
                run_variance=_known_or(cells.run_variance[index], usual[1]),
            ),
            wish,
        )
    return None


def _known_or(values: Reals, usual: float) -> Reals:
    return np.where(np.isfinite(values), values, usual)
