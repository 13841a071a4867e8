"""Advice on a model: what to train on, from its own cells and those of other models.

In the order of the work:

- ``request.py``: what a user asks
- ``known_cells.py``: measured cells of studies and tables, as the statistics take them
- ``candidates.py``: what could be trained
- ``limits_of_evidence.py``: how far the question is from what was measured
- ``recommend.py``: the command
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
