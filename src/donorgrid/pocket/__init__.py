"""The built-in offline world: four tasks from CLDR in eleven languages, and a tiny base model that half knows them.

``donorgrid.pocket.pretrain.train_base_model`` trains the base model again; it needs torch.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
