"""Errors of the analysis, one module per kind.

=======================  ======================  ================================================================
Kind                     Column                  Module: what would vary
=======================  ======================  ================================================================
item error of a cell     se_pp                   reading/deltas.py: other items, seeds pooled, clustered on item ID
item error of a mean     *_noise_se_pp           item_errors.py: other items, clustered on item ID over all cells
run variance             (in noise_se_pp)        run_errors.py: other training runs, beyond what items explain
seed error               se_seed_pp              reading/deltas.py: the spread of the seeds themselves
noise of a cell          noise_se_pp             cell_errors.py: items and runs together, or a stand-in for them
shared noise             (in eb_*, shared_se_pp) shared_noise.py: the part of the item error that cells have in common
error over models        *_se_pp of means        tables/groups.py: other models of this kind
=======================  ======================  ================================================================

item_contributions.py takes means apart into what each item adds; halves.py, resampling.py and sign_flips.py draw items,
runs and models again; posteriors.py says what is left of each delta; measured_noise.py hands the noise to the planning.
"""
