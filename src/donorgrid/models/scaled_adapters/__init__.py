"""Adapters at a strength, written so that PEFT or transformers opens them: W0 + strength (W' - W0).

- ``writing.py``: which form is written, and whether PEFT computes it as it should
- ``factors.py``: LoRA with every factor B multiplied
- ``low_rank.py``: any change of linear weights as LoRA, with its measured error
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
