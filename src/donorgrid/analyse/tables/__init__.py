"""The tables of the analysis, one module per table."""
