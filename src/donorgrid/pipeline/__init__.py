"""The one place that wires the stages together, in packages by what a person does.

In the order of the work:

- ``prepare/``: a study file becomes grid, items, model files and work keys; what there is to choose from
- ``planning/``: what a study costs and what it can show, before any work
- ``session/``: one base model in memory, that ``run`` and ``check`` share
- ``run/``: training and scoring, in one process or several
- ``analyse/``: from item answers or tables to the analysis and its report
- ``advise/``: what to train on, from measured cells of this model and others
- ``check/``: adapters against their base, item by item
- ``exchange/``: results of other tools in; tables, adapters, training jobs and tasks out
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
