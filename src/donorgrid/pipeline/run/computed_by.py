"""Which ways computed a study's answers and trainings, as the finished files say."""

from donorgrid.core.errors import StoreError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Subject
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.store.answers import AnswersFooter, read_footer


def computed_by(plan: WorkPlan, folder: StudyFolder) -> dict[str, dict[str, list[str]]]:
    """The ways by model, for the manifest.

    Parameters
    ----------
    plan : WorkPlan
        The study.
    folder : StudyFolder
        Its folder. Damaged files say nothing; healing names them.

    Returns
    -------
    dict
        Model -> ``answers`` and ``training`` -> the ways, such as kernels or GPU ways, in the order of their names.
    """
    ways: dict[str, dict[str, list[str]]] = {}
    for model in plan.study.models:
        subjects = (subject for subject in plan.grid.subjects if subject.model == model.name)
        footers = [footer for subject in subjects if (footer := _footer(folder, subject)) is not None]
        ways[model.name] = {
            "answers": sorted({way for footer in footers for way in footer.computed_by}),
            "training": sorted({way for footer in footers for way in footer.trained_by}),
        }
    return ways


def _footer(folder: StudyFolder, subject: Subject) -> AnswersFooter | None:
    try:
        return read_footer(folder.items(subject))
    except StoreError:
        return None
