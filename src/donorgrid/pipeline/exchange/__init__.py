"""Results of other tools in; results, adapters, training jobs and tasks out. No torch.

In the order of the work:

- ``import_results.py``: outputs of lm-eval and result tables
- ``select_run.py``: which run of a study is meant
- ``export_scaled.py``: an adapter at a strength
- ``export_run.py``: a run's adapter with its card; a run as a job of another trainer
- ``export_results.py``: a study's deltas; a task's items
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
