"""Item-level grids: the answers of baselines and adapters, item by item, as a study keeps them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Baseline, Recipe, Run, Source
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.simulate.settings import SimulationSettings
from donorgrid.simulate.truth import STREAM_ANSWERS, true_deltas

RECIPE = Recipe(name="simulated")
_LENGTH = 10


def simulate_answers(settings: SimulationSettings) -> Iterator[tuple[Run | Baseline, pl.DataFrame]]:
    """Every subject with its item answers (ITEM_ANSWERS), model by model: the baseline first, then its runs.

    Item IDs are shared by the languages of a task. An item flips where a latent normal value is extreme; the value is
    the weighted sum of a part of the item ID (shared by cells), one of the (source, item) and one of the single answer.
    One frame is held at a time. The true deltas are ``true_deltas(settings)``.
    """
    truth = true_deltas(settings)
    for number, model in enumerate(settings.models):
        rng = np.random.default_rng([settings.seed, STREAM_ANSWERS, number])
        items = _Items(settings, rng)
        yield Baseline(model=model), items.frame(items.base)
        of_model = truth.filter(pl.col("model") == model)
        for source in settings.cells:
            shift = of_model.filter(pl.col("source_name") == str(source))["true_pp"].to_numpy() / 100.0
            of_source = rng.standard_normal(items.size)
            for train_seed in settings.train_seeds:
                right, kept = items.answered(shift, of_source, rng)
                run = Run(model=model, source=Source.of_cell(source), recipe=RECIPE, train_seed=train_seed)
                yield run, items.frame(right).filter(pl.Series(kept))


class _Items:
    """The items of one model's targets: IDs, gold answers, the baseline's answers, and the latent part of each ID."""

    def __init__(self, settings: SimulationSettings, rng: np.random.Generator) -> None:
        n, n_targets = settings.n_items, len(settings.cells)
        self.size = n * n_targets
        self._settings = settings
        gold = np.random.default_rng([settings.seed, STREAM_ANSWERS]).integers(
            0, settings.n_choices, (len(settings.tasks), 1, n)
        )
        by_task = np.broadcast_to(gold, (len(settings.tasks), len(settings.languages), n))
        self._gold = by_task.ravel()
        self.base = rng.random(self.size) < settings.base_score
        shared = rng.standard_normal((len(settings.tasks), 1, n))
        self._of_id = np.broadcast_to(shared, by_task.shape).ravel()
        rates = [settings.flip_rate_of(cell.task) for cell in settings.cells]
        self._rates = np.repeat(np.array(rates), n)
        self._key = pl.DataFrame(
            {
                "target_task": np.repeat([cell.task for cell in settings.cells], n),
                "target_language": np.repeat([cell.language for cell in settings.cells], n),
                "item_id": np.tile([f"item-{number:05d}" for number in range(n)], n_targets),
            }
        )

    def answered(
        self, shift: Reals, of_source: Reals, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """(size,) whether each answer is right, and whether its cell was measured, of one run.

        With base score p a right answer is lost with probability (f - shift) / 2p, a wrong one gained with
        (f + shift) / 2(1 - p), f at least |shift|: the expected delta is the shift.
        """
        chosen, n = self._settings, self._settings.n_items
        runs = chosen.run_sd_pp / 100.0 * rng.standard_normal(len(shift))
        moved = np.repeat(shift + runs, n)
        rate = np.maximum(self._rates, np.abs(moved))
        up = (rate + moved) / 2.0 / max(1.0 - chosen.base_score, 1e-12)
        down = (rate - moved) / 2.0 / max(chosen.base_score, 1e-12)
        weights = (
            chosen.cell_correlation,
            chosen.seed_correlation - chosen.cell_correlation,
            1 - chosen.seed_correlation,
        )
        parts = (self._of_id, of_source, rng.standard_normal(self.size))
        latent = sum(np.sqrt(weight) * part for weight, part in zip(weights, parts, strict=True))
        flips = ndtr(latent) < np.where(self.base, down, up)
        kept = rng.random(len(shift)) >= chosen.holes
        return self.base ^ flips, np.repeat(kept, n)

    def frame(self, right: npt.NDArray[np.bool_]) -> pl.DataFrame:
        """Item answers: a wrong answer is the option after the gold one."""
        n_choices = self._settings.n_choices
        chosen = np.where(right, self._gold, (self._gold + 1) % n_choices)
        logliks = np.full((self.size, n_choices), -float(_LENGTH))
        logliks[np.arange(self.size), chosen] = -float(_LENGTH) / 2.0
        lengths = np.full((self.size, n_choices), _LENGTH, dtype=np.int32)
        frame = self._key.with_columns(
            answer=pl.Series(self._gold),
            choice_logliks_nats=pl.Series(logliks).arr.to_list(),
            choice_lengths=pl.Series(lengths).arr.to_list(),
            chosen=pl.Series(chosen),
            correct=pl.Series(right),
            chosen_norm=pl.Series(chosen),
            correct_norm=pl.Series(right),
            generated=pl.lit(None, dtype=pl.String),
        )
        return ITEM_ANSWERS.check(frame)
