"""Planning a study before any work: what it costs and what it can show.

In the order of the work: ``plan_study.py`` is the command; ``study_cost.py`` counts tokens and bytes; ``trial.py`` measures this machine's speed;
``power.py`` says which deltas a grid can show; ``simulation.py`` draws grids whose truth is known.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
