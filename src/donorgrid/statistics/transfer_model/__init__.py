"""A Gaussian model of transfer tables: what other models say of a new one, and what its own adapters add.

In the order of the work: ``knowledge`` (the tables, as arrays), ``scales`` (sizes of models and targets),
``target_strata`` (targets as contrasts), ``source_covariances``, ``variances`` (their sizes), ``scale_spread``,
``model`` and ``fitting`` (all of it). Then ``new_model`` (what it says of a model that it does not hold), ``question``,
``drawn_scales`` and ``posterior`` (joint draws, given what was measured of that model), ``design`` (what to measure of
it first). ``similarity`` says which languages are alike.
"""
