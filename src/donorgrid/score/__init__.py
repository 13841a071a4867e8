"""Scoring: the log-likelihood of every option, and which option is chosen."""
