"""Other people's results in, donorgrid's results out. Imports without torch.

In: ``import_lm_eval`` reads lm-eval's outputs, ``import_table`` result tables; both give plain records that the
analysis takes. Out: ``export_table``, ``export_adapter``, ``export_training`` (for other trainers) and
``export_lm_eval_task``.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
