"""donorgrid: what fine-tuning on one (task, language) gives to, and takes from, every other.

The steps of a study are functions here, as they are subcommands on the command line: ``init_study``, ``plan_study``,
``run_study``, ``study_status``, ``analyse_study``, ``report_study``, ``run_demo``; so is ``run_check``. What a name
needs is loaded when it is first used, so that analysis and report work without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from donorgrid.analyse import AnalysisSettings as AnalysisSettings
    from donorgrid.analyse import read_tables as read_tables
    from donorgrid.core.errors import DonorgridError as DonorgridError
    from donorgrid.core.errors import InputError as InputError
    from donorgrid.core.errors import RunFailure as RunFailure
    from donorgrid.core.errors import StoreError as StoreError
    from donorgrid.core.records import Cell as Cell
    from donorgrid.core.records import Recipe as Recipe
    from donorgrid.core.records import Run as Run
    from donorgrid.core.records import Source as Source
    from donorgrid.core.regimes import regime as regime
    from donorgrid.pipeline.analyse.steps import analyse_study as analyse_study
    from donorgrid.pipeline.analyse.steps import report_study as report_study
    from donorgrid.pipeline.analyse.tables import Analysed as Analysed
    from donorgrid.pipeline.check.steps import CheckRequest as CheckRequest
    from donorgrid.pipeline.check.steps import run_check as run_check
    from donorgrid.pipeline.prepare.steps import init_study as init_study
    from donorgrid.pipeline.prepare.steps import study_status as study_status
    from donorgrid.pipeline.run.jobs import RunOptions as RunOptions
    from donorgrid.pipeline.run.progress import Progress as Progress
    from donorgrid.pipeline.run.steps import run_demo as run_demo
    from donorgrid.pipeline.run.steps import run_study as run_study
    from donorgrid.pipeline.run.trial import plan_study as plan_study
    from donorgrid.plan.files import read_study as read_study
    from donorgrid.plan.study import Study as Study

__version__ = "0.1.0"

_HOMES = {
    "analyse": ("AnalysisSettings", "read_tables"),
    "core.errors": ("DonorgridError", "InputError", "RunFailure", "StoreError"),
    "core.records": ("Cell", "Recipe", "Run", "Source"),
    "core.regimes": ("regime",),
    "pipeline.analyse.tables": ("Analysed",),
    "pipeline.analyse.steps": ("analyse_study", "report_study"),
    "pipeline.check.steps": ("CheckRequest", "run_check"),
    "pipeline.run.jobs": ("RunOptions",),
    "pipeline.run.progress": ("Progress",),
    "pipeline.prepare.steps": ("init_study", "study_status"),
    "pipeline.run.steps": ("run_demo", "run_study"),
    "pipeline.run.trial": ("plan_study",),
    "plan.files": ("read_study",),
    "plan.study": ("Study",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'donorgrid' has no attribute '{name}'")
    return getattr(import_module(f"donorgrid.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
