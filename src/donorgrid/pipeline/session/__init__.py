"""One base model in memory: it answers items and trains adapters. ``run`` and ``check`` both use it.

In the order of the work:

- ``devices.py``: which device, and how many processes
- ``records.py``: the settings of a session, and what a target is to it
- ``model_session.py``: the base model, its packed items, the active adapter, the answers
- ``generated_rows.py``: generated texts as rows of item answers
- ``study_session.py``: a session with the targets and few-shot examples of a study
- ``training.py``: trains the runs of a study on the model of a session
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
