"""The one place that wires the stages together: plan, train, score, store, analyse, report."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
