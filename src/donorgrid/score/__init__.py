"""Scoring: from items to the option that a model chooses.

1. encode (``encode``): context and options become tokens, by lm-eval's rule.
2. sequence (``sequences``): context + option, cut to what the model reads; the tokens of the option are scored.
3. pack (``packing``): sequences that begin alike share a row as a tree, so that every prefix is read once; rows side by
   side make batches. Done once for all adapters.
4. read (``scorer``): the reader gives hidden states where the output head is needed; the head gives the
   log-probability of each scored token.
5. sum (``scorer``): an option's log-likelihood is the sum over its tokens, in nats. ``plain`` does 3 to 5 one option
   after the other: the reference, and the way where a model cannot read packed rows.
   ``exact_and_fast`` reads most items with products in bf16, and near ties again in float32.
6. choose (``choose``): the largest log-likelihood wins; ties go to the first option. ``answers`` makes the table.

``generate`` is the other way to answer: text written by the model, for targets without options to score.
"""
