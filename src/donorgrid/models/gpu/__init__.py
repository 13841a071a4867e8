"""Other ways to compute a network's layers on a GPU, each checked against the plain one and chosen by a trial.

- ``flat_rows``: a batch of rows as one row; all rows of it are read at once, without padding where that is allowed.
- ``block_masks``: the attention mask of such a row for FlexAttention, from two numbers per token.
- ``flex_attention``: transformers' layers compute with FlexAttention while a context is active.
- ``compiled_layers``: the layers run through ``torch.compile`` while a context is active.
- ``ways``: the ways by name, and how each reads a batch.
- ``trial``: compares and times ways; the first of the list is the reference.

Nothing here needs a GPU to be correct: on a CPU FlexAttention computes without a kernel, which the tests use.
"""
