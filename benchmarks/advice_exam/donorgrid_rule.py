"""The tool itself: fitted once without the held-out model, then conditioned on what the probes gave."""

from collections.abc import Sequence

import numpy as np

from advice_exam.held_out import HeldOut
from advice_exam.predictive import Predictive
from donorgrid.advise.similar_languages import similar_languages
from donorgrid.statistics.transfer_model.design import telling_sources
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.posterior import draw_priors, marginals
from donorgrid.statistics.transfer_model.question import Measured, Question

N_COMPONENTS = 16
"""As many draws of the variances as ``draw_deltas`` makes."""


class DonorgridRule:
    name = "donorgrid"
    needs_probes = False

    def prepare(self, held: HeldOut) -> "DonorgridPredictor":
        return DonorgridPredictor(held)


class DonorgridPredictor:
    def __init__(self, held: HeldOut) -> None:
        self.held = held
        self.model = fit_model(held.knowledge, similarity=similar_languages(held.knowledge.languages))
        rng = np.random.default_rng(0)
        self.priors = draw_priors(self.model, self._question(None), n_priors=N_COMPONENTS, rng=rng)

    def predict(
        self, probes: Sequence[int], shown: np.ndarray, rows: np.ndarray, *, seed: int, noise_size: float = 1.0
    ) -> Predictive:
        """``noise_size``: times the usual noise variance, for a replicate of half the data."""
        noise = self.held.noise_variance
        question = self._question(self._measured(probes, shown, noise_size * noise) if len(probes) else None)
        cells = marginals(self.model, question, self.priors, rows=rows, seed=seed)
        return Predictive(mean=cells.mean, sd=np.sqrt(cells.variance + noise[rows]))

    def choose_probes(self, allowed: np.ndarray, n_per_task: int) -> list[int]:
        """The tool's own probes among the allowed sources."""
        cells = [self.held.cells[index] for index in allowed]
        chosen = telling_sources(self.model, cells, family=self.held.family, n_per_task=n_per_task)
        return [int(allowed[index]) for index in chosen]

    def _question(self, measured: Measured | None) -> Question:
        return Question(
            sources=[{cell: 1.0} for cell in self.held.cells],
            targets=self.held.cells,
            family=self.held.family,
            measured=measured,
        )

    @staticmethod
    def _measured(probes: Sequence[int], shown: np.ndarray, noise: np.ndarray) -> Measured:
        index = np.array([(source, target) for source in probes for target in range(shown.shape[1])])
        return Measured(
            index=index,
            delta_pp=shown[index[:, 0], index[:, 1]],
            noise_variance=noise[index[:, 0], index[:, 1]],
            baseline_variance=np.zeros(shown.shape[1]),
        )
