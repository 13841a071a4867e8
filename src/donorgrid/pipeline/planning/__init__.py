"""Planning a study before any work: what it costs and what it can show.

In the order of the work:

- ``plan_study.py``: the command; it needs the extra ``train`` and says so without loading it
- ``study_cost.py``: counts tokens, bytes and time
- ``trial.py``: measures the speed of this machine
- ``power.py``: which deltas a grid can show
- ``simulation.py``: grids whose truth is known
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
