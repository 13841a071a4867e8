"""Three ways over the same work: the release's, a tuned peer's, and donorgrid's. Needs the extra ``lm-eval``."""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
