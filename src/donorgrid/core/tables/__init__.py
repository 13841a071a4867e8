"""The declared tables: columns with types and units, and keys. Every stage checks the frames that it hands on.

Units are in the names: ``_pp`` percentage points, ``_rate`` and ``_share`` 0-1, ``_nats`` natural logarithms.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
