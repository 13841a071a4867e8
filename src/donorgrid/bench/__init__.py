"""A benchmark of one cell, done three ways in turn. Needs the extra ``lm-eval``.

- ``release``: as in the released code. Texts padded to 512, the adapter merged and saved, scored by lm-eval's command.
- ``peer``: as a tuned Hugging Face script. Dynamic padding, lm-eval in process at its best batch size.
- ``donorgrid``: as ``donorgrid run`` works.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
