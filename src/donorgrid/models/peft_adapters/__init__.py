"""Adapters that other tools wrote: what PEFT loads is computed as PEFT computes it, what it refuses is refused.

- ``load.py``: loads an adapter by PEFT, or says in one line why it cannot be used
- ``refusals.py``: what PEFT raises, in one line
- ``key_names.py``: keys of tensors that hold an adapter's name
- ``shared_copies.py``: a second network over the base's weights, which PEFT may wrap and resize
- ``vocabulary.py``: the rows of the vocabulary that an adapter was trained with
- ``completeness.py``: tensors that are missing, of no use, or not finite
- ``reading.py``: whether the network with PEFT's modules can be read as the base is
- ``strength.py``: how much of an adapter's change is applied
- ``merge.py``: whether an adapter may be merged into the base's weights, and merging it

PEFT only warns of tensors that are missing or of no use. Here they are errors, as are NaN and infinity.
"""
