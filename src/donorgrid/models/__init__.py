"""Base models: where they lie, what they are, how they are loaded, and their logits where they are needed."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
