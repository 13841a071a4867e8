"""Advice on a model: what to train on, from its own cells and those of other models.

In the order of the work:

- ``request.py``: what a user asks
- ``released_knowledge.py``: the released table, fetched once
- ``seed_noise.py``: how much runs of a source's task differ
- ``known_cells.py``: measured cells of studies and tables, as the statistics take them
- ``evidence_at_hand.py``: those of the model in question, and those of others
- ``candidates.py``: what could be trained
- ``judged_arms.py``: the options of an arm, judged
- ``limits_of_evidence.py``: how far the question is from what was measured
- ``cell_noise.py``, ``measurements.py``: what could be measured next
- ``recommend.py``: the command
- ``next_study.py``, ``folder.py``, ``page.py``: what it writes
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
