"""The grid of a study: what is trained, by which weights, and what may not stand there twice."""

from pathlib import Path
from typing import Any

import pytest

from donorgrid.core.errors import InputError
from donorgrid.plan.files import read_study
from donorgrid.plan.grid import Grid, make_grid
from worlds import LANGUAGES, RECIPE, make_study

DE, EN = "colours/de", "colours/en"
CELL = {"task": "colours", "language": "de"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grid")


def grid(folder: Path, **changes: Any) -> Grid:
    return make_grid(read_study(make_study(folder, **changes)), {"colours": LANGUAGES})


def test_weights_of_a_mix_are_relative(folder: Path) -> None:
    made = grid(folder, sources=[{"name": "both", "mix": {DE: 3, EN: 1}}])
    (run,) = made.runs
    assert [(str(cell), weight) for cell, weight in run.source.parts] == [(DE, 0.75), (EN, 0.25)]


@pytest.mark.parametrize(
    "sources",
    [[CELL, CELL], [{"name": "both", "mix": {DE: 1, EN: 1}}, {"name": "both", "mix": {DE: 1, EN: 2}}]],
    ids=["cells", "mixes"],
)
def test_two_sources_of_one_name_are_refused(folder: Path, sources: list[Any]) -> None:
    with pytest.raises(InputError, match=r"sources: .* twice"):
        grid(folder, sources=sources)


def test_every_source_is_trained_once_per_seed_and_size_and_the_base_is_a_subject(folder: Path) -> None:
    made = grid(folder, train_seeds=[1, 2], train_sizes=[5, 10])
    assert len(made.baselines) == 1
    assert len(made.runs) == len(set(made.runs)) == 3 * 2 * 2
    assert made.subjects[0] == made.baselines[0]
    assert [str(cell) for cell in made.targets] == [f"colours/{language}" for language in LANGUAGES]


def test_a_recipe_is_trained_as_it_is_written(folder: Path) -> None:
    (run,) = grid(folder, sources=[CELL]).runs
    assert {name: getattr(run.recipe, name) for name in RECIPE} == RECIPE


def test_each_train_seed_has_its_own_few_shot_subject_and_its_own_run(folder: Path) -> None:
    few_shot = {"control": "few-shot", "of": DE, "shots": 2}
    both = grid(folder, sources=[few_shot, CELL], train_seeds=[17, 42])
    assert [subject.draw_seed for subject in both.prompted] == [17, 42]
    assert [run.train_seed for run in both.runs] == [17, 42]
