"""Tasks of the installed lm-eval, through its own code."""
