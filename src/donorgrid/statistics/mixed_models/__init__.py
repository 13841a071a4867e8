"""Random-intercepts models: REML fits, predictions, variance shares."""
