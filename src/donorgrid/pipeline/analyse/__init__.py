"""From a study's folder, an import or tables of deltas to the analysis and its report. No torch, no models.

In the order of the work:

- ``analyse_study.py``: the commands ``analyse`` and ``report``
- ``tables.py``: the tables of the analysis
- ``table_files.py``: writing them
- ``answered_runs.py``: a study's item answers, paired with those of the baseline
- ``reporting.py``: the report of an analysis
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
