"""The tables of the analysis, one module per table or pair of tables. ``registry.py`` lists them all.

Each module ends with ``TABLES``: the tables that it makes, with their declaration in ``core/tables`` and the function.
"""
