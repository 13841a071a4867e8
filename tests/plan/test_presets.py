"""Every shipped study names tasks of the catalog in languages that they have, and says which are non-commercial."""

from pathlib import Path

import pytest

from donorgrid.plan.files import make_study
from donorgrid.plan.grid import make_grid
from donorgrid.plan.presets import PRESETS
from donorgrid.tasks import find_task


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_study_over_tasks_that_are_there(name, tmp_path):
    study = make_study(PRESETS[name].fields, origin=name)
    tasks = [find_task(one.task, folder=tmp_path, languages=study.languages) for one in study.tasks]
    assert all(task.has_training_split for task in tasks)
    grid = make_grid(study, {task.name: task.languages for task in tasks}, origin=name)
    assert len(grid.targets) == len(study.tasks) * len(study.languages)
    assert ("non-commercial" in PRESETS[name].title) == any(task.non_commercial for task in tasks)


def test_the_paper_is_the_papers_grid(tmp_path: Path):
    study = make_study(PRESETS["paper"].fields, origin="paper")
    tasks = {one.task: find_task(one.task, folder=tmp_path).languages for one in study.tasks}
    grid = make_grid(study, tasks)
    assert (len(grid.baselines), len(grid.runs), len(grid.targets)) == (9, 9 * 44 * 3, 44)
    assert study.recipes["paper"].rank == 32
