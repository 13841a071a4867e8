"""Base models: their files, how they are loaded, how rows of tokens are read, and how adapters act on them.

- Files: ``folders`` and ``hub`` (a base model), ``adapter_files`` (an adapter in PEFT's format), ``checkpoints`` (a
  whole fine-tuned model), ``safetensors_headers``.
- Loading: ``loading``; ``quantising`` for weights in 4 bit.
- Reading: ``reader`` is the one interface. ``rows`` lays sequences in rows, ``masks`` makes the attention masks for
  transformers' layers, ``fast_cpu`` computes small models on a CPU, ``gpu`` has faster ways for a GPU, ``output_head``
  gives log-probabilities.
- Adapters: ``adapter_switch`` makes one active; ``merging`` adds it to the weights, ``weight_backup`` restores them.
  ``scaled_adapters`` writes one at a strength.
  ``low_rank`` is the adapter that ``fast_cpu`` computes beside the weights.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
