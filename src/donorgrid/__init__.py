"""donorgrid: what fine-tuning on one (task, language) gives to, and takes from, every other.

The steps of a study are functions here, as they are subcommands on the command line: ``init_study``, ``plan_study``,
``run_study``, ``study_status``, ``analyse_study``, ``report_study``, ``run_demo``; so is ``run_check``. The file
``__init__.pyi`` lists every public name. A name is loaded when it is first used, so analysis needs no torch.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
