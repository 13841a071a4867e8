"""Does an adapter break anything? Item answers of a base and its adapters in; verdicts, comparisons and a page out."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
