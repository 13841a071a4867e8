"""From a study file to the study, its tasks and its grid; no data is read yet."""

from pathlib import Path

from donorgrid.core.errors import InputError, naming
from donorgrid.plan.files import read_study
from donorgrid.plan.grid import Grid, make_grid
from donorgrid.plan.study import Study
from donorgrid.tasks import TaskFile, find_task


def read_grid(study_file: Path) -> tuple[Study, dict[str, TaskFile], Grid]:
    """Read a study file, find its tasks and lay out its grid.

    Parameters
    ----------
    study_file : Path
        A YAML file.

    Returns
    -------
    (Study, dict of str to TaskFile, Grid)
        The tasks by name.

    Raises
    ------
    InputError
        If a key cannot be used, a task cannot be found, or two tasks have one name.
    """
    study = read_study(study_file)
    tasks: dict[str, TaskFile] = {}
    for index, spec in enumerate(study.tasks):
        with naming(str(study_file)):
            task = find_task(spec.task, folder=study_file.parent, languages=study.languages, columns=spec.columns)
        if task.name in tasks:
            raise InputError(f"{study_file}: tasks[{index}]: a second task is called '{task.name}'")
        tasks[task.name] = task
    languages_of = {name: task.languages for name, task in tasks.items()}
    return study, tasks, make_grid(study, languages_of, origin=str(study_file))
