"""The exams of advice: rules predict a model that was held out, and are scored on cells that none of them saw.

In the order of the work: ``held_out`` (who is examined, from what), ``drawing`` (folds, probes, replicates), the rules
(``simple_rules``, ``gaussian_rule``, ``trees_rule``, ``donorgrid_rule``) with their ``predictive`` distributions,
``scores`` and ``gains``, ``sitting`` (one model in one exam), then ``rows`` and ``page``.
"""
