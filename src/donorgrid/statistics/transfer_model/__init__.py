"""A Gaussian model of transfer tables: what other models say of a new one, and what its own adapters add.

``knowledge`` (the tables, as arrays) -> ``scales`` (sizes of models and targets) -> ``target_strata`` (targets as
contrasts) -> ``source_covariances`` -> ``variances`` (their sizes, fitted) -> ``new_model`` (the prior of a new model)
-> ``posterior`` (given its own deltas; joint draws). ``fit_model`` reads as the list of these steps.
"""
