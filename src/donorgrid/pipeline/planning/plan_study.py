"""``donorgrid plan``: what a study costs. Needs the extra ``train``, and says so without loading it."""

from pathlib import Path
from typing import TYPE_CHECKING

from donorgrid.core.extras import require_training
from donorgrid.pipeline import planning
from donorgrid.pipeline.prepare.study import study_paths

if TYPE_CHECKING:
    from donorgrid.pipeline.planning.study_cost import StudyCost


def plan_study(
    study: str | Path,
    out: str | Path | None = None,
    *,
    device: str = "auto",
    jobs: int | None = None,
    trial: bool = True,
) -> "StudyCost":
    """Count a study's work and measure how long it will take on this machine.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The study's folder, where it is not the default.
    device : str
        "auto", "cpu", or a device of torch.
    jobs : int, optional
        Processes that share the work; the default is that of ``run_study``.
    trial : bool
        True: train and score a few texts and items, to estimate the time. False: count only.

    Returns
    -------
    StudyCost

    Raises
    ------
    InputError
        If the study cannot be read, or the extra ``train`` is not installed.
    """
    require_training("plan")
    file, folder = study_paths(Path(study), None if out is None else Path(out))
    return planning.study_cost.estimate(file, folder, device=device if trial else None, jobs=jobs)
