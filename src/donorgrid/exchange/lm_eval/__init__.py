"""Outputs of lm-eval in, tasks of lm-eval out."""
