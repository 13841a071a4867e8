"""The records that cross the borders between stages: frozen, keyword-only, typed.

A source and a target are the two ends of one ordered pair. "No source" is a type (``Baseline``), never an empty string
or NaN.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
