"""Knowledge, scales, strata and variances, each against what it stands for."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from transfer_tables import CELLS, LANGUAGES, TASKS, as_knowledge, draw_tables, same

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model import variances
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.knowledge import gather_knowledge
from donorgrid.statistics.transfer_model.scales import fit_scales
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.source_covariances import Adapters, component_covariances
from donorgrid.statistics.transfer_model.target_strata import TargetStrata, make_strata
from donorgrid.statistics.transfer_model.variances import Contrasts

ALIKE = Similarity(pairs={("de", "en"): 0.6, ("hi", "id"): 0.3})


def test_a_grid_holds_every_delta_and_nan_elsewhere() -> None:
    tables = draw_tables(2, seed=0)[1]
    tables[1, 3, 4] = np.nan
    knowledge = as_knowledge(tables)
    np.testing.assert_array_equal(knowledge.delta_pp, tables)
    assert knowledge.families == ("family-0", "family-1")
    assert knowledge.without(["model-0"]).models == ("model-1",)


def test_no_knowledge_is_an_error() -> None:
    with pytest.raises(InputError, match="no delta"):
        gather_knowledge([])
    with pytest.raises(InputError, match="no model is left"):
        as_knowledge(draw_tables(1, seed=0)[1]).without(["model-0"])


def test_scales_are_recovered() -> None:
    rng = np.random.default_rng(1)
    model, target = np.array([0.5, 1.0, 2.0, 4.0]), np.exp(rng.normal(size=len(CELLS)))
    deltas = rng.standard_normal((4, len(CELLS), len(CELLS))) * model[:, None, None] * 3 * target
    scales = fit_scales(as_knowledge(deltas))
    assert np.corrcoef(np.log(scales.targets), np.log(target))[0, 1] > 0.95
    np.testing.assert_allclose(scales.models / scales.models[0], model / model[0], rtol=0.35)
    assert scales.degrees > 8


@pytest.mark.parametrize("similarity", [Similarity.none(), ALIKE])
def test_strata_are_an_orthonormal_basis_of_the_grid(similarity: Similarity) -> None:
    strata = make_strata(TASKS, LANGUAGES, similarity=similarity)
    basis = np.concatenate([stratum.contrasts for stratum in strata.strata], axis=1)
    np.testing.assert_allclose(basis.T @ basis, np.eye(len(CELLS)), atol=1e-12)
    coordinates, unexplained = strata.coordinates(CELLS)
    np.testing.assert_allclose(np.concatenate(coordinates, axis=1), basis, atol=1e-12)
    assert not unexplained.any()


def test_plain_kernels_are_multiples_of_the_identity_on_every_stratum() -> None:
    for stratum in make_strata(TASKS, LANGUAGES, similarity=Similarity.none()).strata:
        for name in ("everything", "task", "language", "cell"):
            kernel = stratum.contrasts.T @ same(name) @ stratum.contrasts
            np.testing.assert_allclose(kernel, kernel[0, 0] * np.eye(len(kernel)), atol=1e-9)


def test_an_unmeasured_language_leans_on_those_like_it() -> None:
    similarity = Similarity(pairs={("en", "nl"): 0.9, ("de", "nl"): 0.9, ("de", "en"): 0.9})
    strata = make_strata(TASKS, LANGUAGES, similarity=similarity)
    (sw, nl), free = _language_effects(strata, ("sw", "nl"))
    assert nl[:2].min() > nl[2:].max() + 0.3  # de and en against hi and id
    np.testing.assert_allclose(sw, 0.25, atol=1e-12)
    assert free[2, 1] < 0.6 < free[2, 0] <= 1.0


def _language_effects(strata: TargetStrata, languages: tuple[str, ...]) -> tuple[list[np.ndarray], np.ndarray]:
    """What each measured language weighs in the prediction of an unmeasured one, and the unexplained shares."""
    cells = [Cell(task="ask", language=language) for language in languages]
    places = [strata.languages.coordinates(language)[0] for language in languages]
    return [strata.languages.vectors @ place for place in places], strata.coordinates(cells)[1]


def test_the_gradient_of_the_likelihood_is_its_slope() -> None:
    rng = np.random.default_rng(2)
    adapters = Adapters(
        models=("a", "a", "b", "b", "c"),
        families=("x", "x", "x", "x", "y"),
        sources=tuple({CELLS[index]: 1.0} for index in (0, 1, 4, 7, 0)),
    )
    covariances = component_covariances(adapters, adapters, ALIKE)
    contrasts = [Contrasts(values=rng.standard_normal((5, 3)), size=1.5, noise=np.full(5, 0.2))]
    prior = np.zeros(len(covariances))

    def value(logs: np.ndarray) -> float:
        return variances._negative_log_posterior(logs, contrasts, covariances, prior)[0]

    def slope(logs: np.ndarray) -> np.ndarray:
        return variances._negative_log_posterior(logs, contrasts, covariances, prior)[1]

    assert check_grad(value, slope, rng.normal(size=len(covariances))) < 1e-4


def test_shared_and_own_variance_are_told_apart() -> None:
    model = fit_model(as_knowledge(draw_tables(6, seed=5)[1]), similarity=Similarity.none())
    sizes = np.exp(model.variances["cell"].mode).reshape(3, 4)
    shared, own = sizes[0].sum() + sizes[1].sum(), sizes[2].sum()
    assert 0.3 < shared / (shared + own) < 0.7


def test_one_knowledge_model_is_enough_and_leaves_the_rest_open() -> None:
    model = fit_model(as_knowledge(draw_tables(1, seed=6)[1]), similarity=Similarity.none())
    assert set(model.variances) == {"everything", "task", "language", "cell"}
    assert np.isfinite(model.scaled).all()


def test_holes_and_trained_cells_do_not_move_the_fit_far() -> None:
    tables = draw_tables(3, seed=7)[1]
    spoilt = tables.copy()
    spoilt[:, range(len(CELLS)), range(len(CELLS))] += 50.0
    whole, own = (fit_model(as_knowledge(values), similarity=Similarity.none()) for values in (tables, spoilt))
    np.testing.assert_allclose(own.scaled, whole.scaled)
    assert own.trained_cells["ask"].mean > whole.trained_cells["ask"].mean + 5
