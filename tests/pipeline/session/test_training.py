"""A study in memory: several trainings at once, and answers that do not depend on the other targets."""

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.store.adapters import Stamp, read_stamp
from worlds import RECIPE, make_study


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return prepare(make_study(tmp_path), StudyFolder(tmp_path / "out"))


def test_runs_trained_together_are_those_trained_alone(prepared: Prepared) -> None:
    session = StudySession(prepared, "llama", device="cpu")
    runs = prepared.grid.runs
    together = session.training.train(dict(zip(runs, "abc", strict=True)))
    paths = [prepared.folder.adapter(run) for run in runs]
    assert {run: read_stamp(path) for run, path in zip(runs, paths, strict=True)} == together
    weights = [load_file(path / "adapter_model.safetensors") for path in paths]
    for run, path, ours in zip(runs, paths, weights, strict=True):
        assert isinstance(session.training.train({run: "again"})[run], Stamp)
        alone = load_file(path / "adapter_model.safetensors")
        for name, value in alone.items():
            assert (ours[name] - value).norm() <= 1e-4 * value.norm()


def test_runs_of_two_recipes_do_not_train_together(prepared: Prepared) -> None:
    first, second, _ = prepared.grid.runs
    other = replace(second, recipe=replace(second.recipe, rank=8))
    with pytest.raises(InputError, match="runs of 2 recipes cannot be trained together"):
        StudySession(prepared, "llama", device="cpu").training.train({first: "a", other: "b"})


def test_best_group_is_one_of_the_sizes_and_writes_nothing(prepared: Prepared) -> None:
    session = StudySession(prepared, "llama", device="cpu")
    assert session.training.best_group_size(prepared.grid.runs[0], sizes=(1, 2), n_texts=8) in (1, 2)
    assert not prepared.folder.root.exists()


def test_adapters_with_dropout_train_alone(tmp_path: Path) -> None:
    study = make_study(tmp_path, recipes={"drops": {**RECIPE, "dropout": 0.1}})
    prepared = prepare(study, StudyFolder(tmp_path / "out"))
    assert StudySession(prepared, "llama", device="cpu").training.best_group_size(prepared.grid.runs[0], n_texts=8) == 1


def test_scores_do_not_depend_on_which_targets_are_scored_together(prepared: Prepared) -> None:
    targets = prepared.grid.targets
    together = StudySession(prepared, "llama", device="cpu").answers(targets, None)
    apart = [StudySession(prepared, "llama", device="cpu").answers([target], None) for target in targets]
    assert [row for frame in apart for row in frame.iter_rows()] == list(together.iter_rows())
