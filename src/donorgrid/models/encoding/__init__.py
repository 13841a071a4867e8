"""How text becomes tokens, in training and in scoring: one rule for both, that of lm-eval.

- ``pairs``: a context and its continuations (the options of an item, the target of a training text).
- ``chat``: messages in the tokenizer's chat template, and how the template ends a turn.
- ``names``: tokens as a reader can tell them apart.
"""
