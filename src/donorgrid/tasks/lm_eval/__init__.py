"""Tasks of the installed lm-eval, read by its own code (extra ``donorgrid[lm-eval]``)."""
